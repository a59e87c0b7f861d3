"""A backtest in plain words: its strategy, under the contract and models it was run with."""

from __future__ import annotations

from quantrail.domain.answers import BacktestRow
from quantrail.domain.contract import ModelVersions
from quantrail.domain.ports import KnowledgeStore
from quantrail.services.run_view import explained
from quantrail.strategy import COST_SETTINGS, canonical_from_json, explain_normal, priced

LIGHT = ModelVersions()


def described(store: KnowledgeStore, row: BacktestRow) -> str:
    """The strategy in two or three sentences, at the costs this backtest was charged, and one more on what
    else was set for it. Signals brought from elsewhere state all their settings."""
    stored, models = store.get_strategy(row.key.strategy_id).strategy, row.model_versions
    if stored.kind == "signals":
        return f"{explained(store, row.key.strategy_id)} {_signal_costs(models)}"
    told = explain_normal(priced(canonical_from_json(stored.normalized_spec_json).spec, models))
    return " ".join([told, *_rest(models)])


def models_text(models: ModelVersions) -> str:
    """Cost, execution and portfolio model with their settings, in one line."""
    settings = ", ".join(f"{name}={value}" for name, value in models.settings)
    names = f"{models.cost}, {models.execution}, {models.portfolio}"
    return f"{names} with {settings}" if settings else names


def differing_models(one: ModelVersions, other: ModelVersions) -> str:
    """What two models differ in, as "one against other"; empty where they are the same."""
    pairs = [
        (getattr(one, name), getattr(other, name))
        for name in ("cost", "execution", "portfolio")
        if getattr(one, name) != getattr(other, name)
    ]
    if one.settings != other.settings:
        pairs.append((_settings(one), _settings(other)))
    return ", ".join(f"{a} against {b}" for a, b in pairs)


def _settings(models: ModelVersions) -> str:
    return ", ".join(f"{name}={value}" for name, value in models.settings) or "no settings"


def _signal_costs(models: ModelVersions) -> str:
    settings = dict(models.settings)
    bps = sum(float(settings[name]) for name in COST_SETTINGS if name in settings)
    return f"Each fill costs {bps:g} bps."


def _rest(models: ModelVersions) -> list[str]:
    """A sentence where orders lived by other rules than the light contract's."""
    others = [f"{name} {value}" for name, value in models.settings if name not in COST_SETTINGS]
    if models.execution == LIGHT.execution and not others:
        return []
    under = f" with {', '.join(others)}" if others else ""
    return [f"This backtest traded under {models.execution}{under}."]
