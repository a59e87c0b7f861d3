"""Integer keys of what rows refer to: looked up once, interned where content repeats."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import EngineMode, TrialDoor
from quantrail.domain.identity import ReproductionKey
from quantrail.domain.records import ArtifactRef, Trial
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.session import Row, Session

T = TypeVar("T")
Cache = dict[tuple[Any, ...], int]


@dataclass(slots=True)
class BacktestKeys:
    """What rows about a backtest must repeat."""

    pk: int
    contract_pk: int
    engine_mode: str
    strategy_pk: int
    run_pk: int
    template_pk: int | None
    failed: bool  # has no result that metrics and scores could be about


class Told(dict[Any, T]):
    """Answers remembered by their question: what every row of a batch asks is asked once."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Callable[[Any], T]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, question: Any) -> T:
        found = self[question] = self._ask(question)
        return found


def backtest_bytes(backtest_id: str) -> bytes:
    return v.uuid16(backtest_id, "backtest_id")


def strategy_bytes(strategy_id: str) -> bytes:
    return v.hash32(strategy_id, "strategy_id")


@dataclass(slots=True)
class Keys:
    """Keys as one transaction sees them.

    ``shared`` outlives the transaction and holds committed keys only; what this transaction found or
    interned waits in ``pending`` for its commit. Both are asked by content, and by the question as it
    was put, so that what every row repeats is not even encoded again.
    """

    session: Session
    now: Callable[[], int]
    shared: Cache
    pending: Cache = field(default_factory=dict)
    strategies: dict[bytes, int] = field(default_factory=dict)
    templates_of: dict[int, int | None] = field(default_factory=dict)
    backtests: dict[bytes, BacktestKeys] = field(default_factory=dict)
    # New in this transaction, so that nothing that rests on them can be stored yet.
    fresh_strategies: set[int] = field(default_factory=set)
    unmeasured: set[int] = field(default_factory=set)
    unscored: set[int] = field(default_factory=set)
    unexplained: set[int] = field(default_factory=set)
    # The bytes of ids; every backtest is named by half a dozen rows.
    backtest_raws: Told[bytes] = field(default_factory=lambda: Told(backtest_bytes))
    strategy_raws: Told[bytes] = field(default_factory=lambda: Told(strategy_bytes))
    contents: dict[int, tuple[object, str, bytes, str]] = field(default_factory=dict)

    def content_of(self, value: CalcContract | ModelVersions) -> tuple[object, str, bytes, str]:
        """The value, its hash as hex and as bytes, its JSON; by identity, since a batch shares few."""
        found = self.contents.get(id(value))
        if found is None:  # the value is kept, so that its id stays its own
            found = self.contents[id(value)] = (value, *_content_of(value))
        return found

    # --- things that must be there ---------------------------------------------------------------
    def policy(self, version: str) -> int:
        return self._must("policies", "policy_version", version, version, "save_policies")

    def template(self, template_id: str) -> int:
        return self._must("templates", "template_id", template_id, template_id, "save_templates")

    def atom(self, atom_id: str) -> int:
        return self._must("atoms", "atom_id", atom_id, atom_id, "save_atoms")

    def universe(self, version: str) -> int:
        raw = v.hash32(version, "universe_version")
        return self._must("universes", "universe_version", raw, version, "save_universes")

    def snapshot(self, version: str) -> int:
        raw = v.hash32(version, "snapshot data_version")
        return self._must("snapshots", "data_version", raw, version, "save_snapshots")

    def run(self, run_id: str) -> int:
        found = self._told(("run", run_id))
        if found is None:
            raw = v.uuid16(run_id, "run_id")
            found = self.pending["run", run_id] = self._must("runs", "run_id", raw, run_id, "insert_run")
        return found

    def iteration(self, run_id: str, iteration_id: int) -> int:
        found = self._told((run_id, iteration_id))
        if found is None:
            found = self.pending[run_id, iteration_id] = self._iteration(run_id, iteration_id)
        return found

    def _iteration(self, run_id: str, iteration_id: int) -> int:
        run_pk = self.run(run_id)
        found = self._cached(
            ("iterations", run_pk, iteration_id),
            "SELECT pk FROM iterations WHERE run_pk = ? AND iteration_id = ?",
        )
        if found is None:
            raise NotFound(f"run {run_id} has no iteration {iteration_id}; call insert_iteration first")
        return found

    def _must(self, table: str, column: str, value: Any, shown: str, call: str) -> int:
        found = self._told((table, value))
        if found is not None:
            return found
        found = self._cached((table, value), f"SELECT pk FROM {table} WHERE {column} = ?")
        if found is None:
            raise NotFound(f"{table} holds no {column} {shown!r}; call {call} first", table=table, id=shown)
        return found

    # --- things that are interned ----------------------------------------------------------------
    def file(self, path: str) -> int:
        found = self._cached(("files", path), "SELECT pk FROM files WHERE path = ?")
        if found is not None:
            return found
        return self._intern(("files", path), "files", (relative_path(path), None, None, self.now()))

    def artifacts(self, refs: Sequence[ArtifactRef | None]) -> tuple[list[int | None], list[int | None]]:
        """Files and rows of many; most of a batch lie in the same few files."""
        if not any(refs):
            return [None] * len(refs), [None] * len(refs)
        files = Told(self.file)
        rows = [None if ref is None else ref.row for ref in refs]
        if not set(map(type, rows)) <= _ROW_KINDS or min(filter(None, rows), default=0) < 0:
            _refuse_row(refs)
        return [None if ref is None else files[ref.path] for ref in refs], rows

    def text(self, body: str) -> int:
        """Text that many rows share, once."""
        found = self._told(("text", body))
        if found is None:
            raw = text_hash(body)
            found = self._cached(("texts", raw), "SELECT pk FROM texts WHERE text_hash = ?")
            if found is None:
                found = self._intern(("texts", raw), "texts", (raw, body))
            self.pending["text", body] = found
        return found

    def known_texts(self, bodies: Collection[str]) -> set[str]:
        """Those that are stored already."""
        open_ones = {text_hash(one): one for one in bodies if self._told(("text", one)) is None}
        stored = self.session.pks("texts", "text_hash", open_ones)
        for raw, pk in stored.items():
            self.pending["text", open_ones[bytes(raw)]] = pk
        return {one for one in bodies if self._told(("text", one)) is not None}

    def contract(self, contract: CalcContract) -> int:
        return self._content("calc_contracts", "calc_contract_hash", *self.content_of(contract)[2:])

    def contract_of_hash(self, contract_hash: str) -> int | None:
        found = self._told(("calc_contract_hash", contract_hash))
        if found is None:
            raw = v.hash32(contract_hash, "calc_contract_hash")
            found = self._cached(
                ("calc_contracts", raw), "SELECT pk FROM calc_contracts WHERE calc_contract_hash = ?"
            )
            if found is not None:
                self.pending["calc_contract_hash", contract_hash] = found
        return found

    def models(self, models: ModelVersions) -> int:
        return self._content("model_version_sets", "model_versions_hash", *self.content_of(models)[2:])

    def _content(self, table: str, column: str, raw: bytes, text: str) -> int:
        found = self._cached((table, raw), f"SELECT pk FROM {table} WHERE {column} = ?")
        return self._intern((table, raw), table, (raw, text)) if found is None else found

    def context(self, key: ReproductionKey, models: ModelVersions) -> int:
        asked = (
            key.data_version, key.engine_mode, key.period_start, key.period_end, key.engine_version,
            key.universe_version, key.bar_interval, key.model_versions_hash,
        )  # fmt: skip
        found = self._told(asked)
        if found is None:
            found = self.pending[asked] = self._context(key, models)
        return found

    def _context(self, key: ReproductionKey, models: ModelVersions) -> int:
        content = (
            v.hash32(key.data_version, "data_version"), v.member(EngineMode, key.engine_mode, "engine_mode"),
            *v.period(key.period_start, key.period_end),
            v.label(key.engine_version, "engine_version"), self.universe(key.universe_version),
            v.label(key.bar_interval, "bar_interval"), self.models(models),
        )  # fmt: skip
        return self._interned(
            "contexts",
            "data_version engine_mode period_start period_end engine_version universe_pk bar_interval "
            "model_versions_pk",
            content,
        )

    def trial_context(self, trial: Trial) -> int:
        asked = (
            trial.universe_version, trial.period_start, trial.period_end, trial.door, trial.requested_by
        )  # fmt: skip
        found = self._told(asked)
        if found is None:
            found = self.pending[asked] = self._trial_context(trial)
        return found

    def _trial_context(self, trial: Trial) -> int:
        content = (
            self.universe(trial.universe_version), *v.period(trial.period_start, trial.period_end),
            v.member(TrialDoor, trial.door, "door"),
            v.label(trial.requested_by or "", "requested_by"),
        )  # fmt: skip
        return self._interned(
            "trial_contexts", "universe_pk period_start period_end door requested_by", content
        )

    def tag(self, tag: str) -> int:
        found = self._told(("tag", tag))
        if found is None:
            found = self.pending["tag", tag] = self._interned("tags", "tag", (v.label(tag, "tag"),))
        return found

    def rule(self, rule_id: str, rule_version: str, policy_version: str) -> int:
        asked = ("rule", rule_id, rule_version, policy_version)
        found = self._told(asked)
        if found is None:
            content = (
                v.label(rule_id, "rule_id"), v.label(rule_version, "rule_version"),
                self.policy(policy_version)
            )  # fmt: skip
            found = self.pending[asked] = self._interned(
                "failure_rules", "rule_id rule_version policy_pk", content
            )
        return found

    def _interned(self, table: str, columns: str, content: Row) -> int:
        where = " AND ".join(f"{name} = ?" for name in columns.split())
        found = self._cached((table, *content), f"SELECT pk FROM {table} WHERE {where}")
        return self._intern((table, *content), table, content) if found is None else found

    def _told(self, asked: tuple[Any, ...]) -> int | None:
        """The key found before for a question in its own words, by this transaction or a committed one."""
        return self.shared.get(asked) or self.pending.get(asked)

    def _cached(self, key: tuple[Any, ...], sql: str) -> int | None:
        found = self._told(key)
        if found is None:
            row = self.session.one(sql, key[1:])
            if row is None:
                return None
            found = self.pending[key] = int(row[0])
        return found

    def _intern(self, key: tuple[Any, ...], table: str, content: Row) -> int:
        pk = self.session.reserve(table, 1)
        self.session.insert(table, [(pk, *content)])
        self.pending[key] = pk
        return pk

    # --- strategies and backtests, by the batch --------------------------------------------------
    def find_strategies(self, ids: Iterable[bytes]) -> dict[bytes, int]:
        known = self.strategies
        missing = [one for one in ids if one not in known]
        if missing:
            select = "SELECT strategy_id, pk, template_pk FROM strategies"
            for raw, pk, template in self.session.among(select, "strategy_id", missing):
                known[bytes(raw)] = pk
                self.templates_of[pk] = template
        return known

    def need_strategies(self, ids: Iterable[bytes]) -> dict[bytes, int]:
        missing = [one for one in ids if one not in self.strategies]
        found = self.find_strategies(missing)
        for raw in missing:
            if raw not in found:
                raise NotFound(f"strategy {raw.hex()} is not stored; call upsert_strategies first")
        return found

    def need_backtests(self, ids: Iterable[bytes]) -> dict[bytes, BacktestKeys]:
        known = self.backtests
        missing = [one for one in ids if one not in known]
        for row in self.session.among(_BACKTEST_KEYS, "backtest_id", missing):
            known[bytes(row[0])] = BacktestKeys(*row[1:])
        for raw in missing:
            if raw not in known:
                raise NotFound(f"backtest {v.uuid_text(raw)} is not stored; call insert_backtests first")
        return known


_BACKTEST_KEYS = (
    "SELECT b.backtest_id, b.pk, b.calc_contract_pk, c.engine_mode, b.strategy_pk, i.run_pk, s.template_pk, "
    "b.status = 'FAILED' "
    "FROM backtests b JOIN contexts c ON c.pk = b.context_pk JOIN iterations i ON i.pk = b.iteration_pk "
    "JOIN strategies s ON s.pk = b.strategy_pk"
)


_ROW_KINDS = frozenset({int, type(None)})


def _refuse_row(refs: Sequence[ArtifactRef | None]) -> None:
    for ref in refs:
        if ref is not None and ref.row is not None:
            v.count(ref.row, f"row of {ref.path}")


def text_hash(body: str) -> bytes:
    return hashlib.sha256(body.encode()).digest()


def relative_path(path: str) -> str:
    """Artifact paths are relative to the home, so that a home can move; InvalidInput otherwise."""
    parts = v.label(path, "artifact path").replace("\\", "/").split("/")
    if path.startswith(("/", "~")) or ".." in parts or ":" in parts[0] or path in ("", "."):
        raise InvalidInput(f"artifact path must be relative and stay inside the home: {path!r}")
    # One file, one spelling: rows under two names for the same file would contradict each other.
    plain = posixpath.normpath(path)
    if plain != path:
        raise InvalidInput(f"artifact path {path!r} has a plainer spelling; write {plain!r}")
    return path


@lru_cache(maxsize=256)
def _content_of(value: CalcContract | ModelVersions) -> tuple[str, bytes, str]:
    what = "calc_contract" if isinstance(value, CalcContract) else "model_versions"
    return value.hash, bytes.fromhex(value.hash), v.json_text(value.to_json(), what)
