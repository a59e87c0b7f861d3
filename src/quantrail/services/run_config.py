"""The configuration of a run: YAML in, one frozen object out, stored whole with the run."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from quantrail.analysis.constraints import DEFAULT_CONSTRAINT_RULES
from quantrail.analysis.failures import DEFAULT_RULES
from quantrail.analysis.score_policy import DEFAULT_POLICY
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.errors import ConfigInvalid, SpecInvalid
from quantrail.services.run_data import DataSection, Section
from quantrail.strategy import parse_spec


class UniverseSection(Section):
    """``market``: the home market over which trials are counted together; ``benchmark``: a symbol.

    ``stored``: a universe of the home, whose members on the first day of train are traded, to the end.
    """

    name: str = "universe"
    stored: str | None = Field(default=None, min_length=1)
    market: str = "US"
    benchmark: str | None = None


class Budget(Section):
    """``candidates``: strategies to screen per iteration; ``seconds``: stop after, None = no limit."""

    candidates: int = Field(default=300, ge=1, le=1_000_000)
    iterations: int = Field(default=3, ge=1, le=1000)
    seconds: float | None = Field(default=None, gt=0)


class Generators(Section):
    """Relative weights of the candidate sources."""

    template: float = Field(default=0.5, ge=0)
    mutation: float = Field(default=0.5, ge=0)

    @model_validator(mode="after")
    def _some_weight(self) -> Generators:
        if self.template + self.mutation <= 0:
            raise ValueError("all generator weights are 0; give at least one a weight")
        return self


class SearchSection(Section):
    """``seeds``: strategies that iteration 1 tries first, on the run's symbols; they may have children."""

    seeds: tuple[dict[str, Any], ...] = Field(default=(), max_length=1000)
    generators: Generators = Generators()
    budget: Budget = Budget()
    shortlist: int = Field(default=8, ge=1, le=1000)

    @field_validator("seeds")
    @classmethod
    def _valid_strategies(cls, seeds: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for index, seed in enumerate(seeds):
            try:
                parse_spec(seed)
            except SpecInvalid as error:
                raise ValueError(f"number {index + 1} is no strategy: {error.message}") from error
        return seeds


class ConstraintsSection(Section):
    """``base``: the set that iteration 1 applies: latest, none, or an id."""

    base: str = "latest"


class ConstraintRulesSection(Section):
    version: str = DEFAULT_CONSTRAINT_RULES
    exploration_share: float = Field(default=0.10, ge=0, le=1)


class EngineASection(Section):
    """Engine A screens with fractional shares."""

    portfolio: Literal["fractional_v1"] = "fractional_v1"


class EngineBSection(Section):
    """Engine B's models, as ``quantrail backtest`` takes them; they are part of its results' identity.

    By default whole shares under the light contract; fractional ones match engine A exactly.
    """

    execution: Literal["next_open_v2", "next_open_v1", "market_v1"] = "next_open_v2"
    portfolio: Literal["whole_shares_v1", "fractional_v1"] = "whole_shares_v1"
    settings: dict[str, int | float | bool | str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_settings(self) -> EngineBSection:
        # Engines are slow to import, and most readers of a configuration set nothing.
        if self.settings:
            from quantrail.engine import ACTIONS, check_models

            if ACTIONS in self.settings:
                raise ValueError(f"{ACTIONS} cannot be set: it is the hash of what backtest --raw applies")
            try:
                check_models(self.models())
            except ConfigInvalid as error:
                raise ValueError(error.message) from error
        return self

    def models(self) -> ModelVersions:
        """The versioned parts by name, with their settings."""
        return ModelVersions(
            execution=self.execution,
            portfolio=self.portfolio,
            settings=tuple(sorted(self.settings.items())),
        )


class Engines(Section):
    a: EngineASection = EngineASection()
    b: EngineBSection = EngineBSection()
    initial_capital: float = Field(default=100_000.0, gt=0)
    risk_free_rate_annual: float = Field(default=0.0, gt=-1, lt=1)


class RunConfig(Section):
    """Everything that decides what a run does; the same config, data and seed give the same run."""

    name: str = Field(min_length=1, max_length=200)
    data: DataSection
    universe: UniverseSection = UniverseSection()
    search: SearchSection = SearchSection()
    score_policy: str = DEFAULT_POLICY
    failure_rules: str = DEFAULT_RULES
    constraints: ConstraintsSection = ConstraintsSection()
    constraint_rules: ConstraintRulesSection = ConstraintRulesSection()
    engines: Engines = Engines()
    workers: int = Field(default=1, ge=1, le=256)
    seed: int = Field(default=0, ge=0, lt=2**53)

    @model_validator(mode="after")
    def _one_list_of_symbols(self) -> RunConfig:
        if self.universe.stored is not None and self.data.symbols is not None:
            raise ValueError(
                f"data.symbols and universe.stored ({self.universe.stored!r}) both say what to trade; "
                "give one"
            )
        return self

    def contract(self) -> CalcContract:
        """The calculation contract that every backtest of the run obeys."""
        return CalcContract(
            initial_capital=self.engines.initial_capital,
            risk_free_rate_annual=self.engines.risk_free_rate_annual,
            benchmark=self.universe.benchmark,
            validation_start=self.data.splits.validation.start.isoformat(),
        )


def load_run_config(path: Path) -> RunConfig:
    """A config from a YAML file; ConfigInvalid in one sentence that names the key and the value."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigInvalid(f"config file {path} does not exist; give the path of a YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"config file {path} cannot be read as UTF-8 text: {error}") from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" on line {where.line + 1}" if where else ""
        raise ConfigInvalid(f"config file {path} is not valid YAML{line}") from error
    if not isinstance(document, dict):
        raise ConfigInvalid(f"config file {path} must hold a mapping at its top, not {_kind(document)}")
    return parse_run_config(document)


def parse_run_config(document: dict[str, Any]) -> RunConfig:
    """A config from its document; every problem in one sentence each, unknown keys with the nearest."""
    try:
        return RunConfig.model_validate(document)
    except ValidationError as error:
        problems = [_sentence(problem) for problem in error.errors()]
        raise ConfigInvalid("invalid config: " + "; ".join(problems), problems=problems) from error


def _sentence(problem: Any) -> str:
    path = ".".join(str(part) for part in problem["loc"]) or "config"
    if problem["type"] == "extra_forbidden":
        return f"{path} is not a known key{_nearest(problem['loc'])}"
    if problem["type"] == "missing":
        return f"{path} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], dict | list | tuple) else f" (got {problem['input']!r})"
    return f"{path}: {message}{shown}"


def _nearest(location: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = RunConfig
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type):
            return ""
        model = field.annotation
    close = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1, cutoff=0.5)
    known = ", ".join(model.model_fields)
    return f"; did you mean {close[0]}?" if close else f"; known are {known}"


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
