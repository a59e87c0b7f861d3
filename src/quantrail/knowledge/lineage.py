"""Trails: what led to a record, and what followed from it.

strategy → backtest → score, failure, comparison; failure → constraint → blocked trial;
strategy → promotion, child strategy; run → constraint set → constraint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quantrail.domain.answers import IdKind, Lineage, LineageNode
from quantrail.errors import NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.session import Session


@dataclass(frozen=True, slots=True)
class _Step:
    relation: str
    kind: str
    sql: str  # from one pk to the pks of ``kind``


_SAME = (
    "SELECT k.pk FROM constraints k0 JOIN constraints k ON k.constraint_id = k0.constraint_id WHERE k0.pk = ?"
)

_EFFECTS: dict[str, tuple[_Step, ...]] = {
    "run": (
        _Step("wrote", "constraint_set",
              "SELECT cs.pk FROM iterations i JOIN constraint_sets cs ON cs.iteration_pk = i.pk "
              "WHERE i.run_pk = ? ORDER BY cs.pk"),
    ),
    "constraint_set": (
        _Step("holds", "constraint", "SELECT pk FROM constraints WHERE set_pk = ? ORDER BY pk"),
    ),
    "strategy": (
        _Step("ran as", "backtest", "SELECT pk FROM backtests WHERE strategy_pk = ? ORDER BY pk"),
        _Step("was changed into", "strategy",
        "SELECT pk FROM strategies WHERE derived_from_pk = ? ORDER BY pk"),
        _Step("was judged", "promotion",
        "SELECT pk FROM promotion_records WHERE strategy_pk = ? ORDER BY pk"),
    ),
    "backtest": (
        _Step("scored", "score", "SELECT pk FROM scores WHERE backtest_pk = ? ORDER BY pk"),
        _Step("failed by", "failure", "SELECT pk FROM failures WHERE backtest_pk = ? ORDER BY pk"),
        _Step("compared in", "comparison",
              "SELECT pk FROM engine_comparisons WHERE backtest_a_pk = ? "
              "UNION SELECT pk FROM engine_comparisons WHERE backtest_b_pk = ? ORDER BY 1"),
    ),
    "failure": (
        _Step("led to", "constraint",
              "SELECT constraint_pk FROM constraint_provenance WHERE failure_pk = ? ORDER BY pk"),
    ),
    "constraint": (
        _Step("would block", "trial",
              f"SELECT x.trial_pk FROM trial_constraints x WHERE x.constraint_pk IN ({_SAME}) ORDER BY 1"),
    ),
}  # fmt: skip

_CAUSES: dict[str, tuple[_Step, ...]] = {
    "strategy": (
        _Step("was changed into", "strategy", "SELECT derived_from_pk FROM strategies WHERE pk = ?"),
    ),
    "backtest": (
        _Step("ran as", "strategy", "SELECT strategy_pk FROM backtests WHERE pk = ?"),
        _Step("produced", "run",
              "SELECT i.run_pk FROM backtests b JOIN iterations i ON i.pk = b.iteration_pk WHERE b.pk = ?"),
    ),
    "failure": (_Step("failed by", "backtest", "SELECT backtest_pk FROM failures WHERE pk = ?"),),
    "constraint": (
        _Step("led to", "failure",
              f"SELECT DISTINCT failure_pk FROM constraint_provenance WHERE constraint_pk IN ({_SAME}) "
              f"ORDER BY 1"),
    ),
    "constraint_set": (
        _Step("was extended to", "constraint_set", "SELECT base_pk FROM constraint_sets WHERE pk = ?"),
        _Step("wrote", "run",
              "SELECT i.run_pk FROM constraint_sets cs JOIN iterations i ON i.pk = cs.iteration_pk "
              "WHERE cs.pk = ?"),
    ),
    "trial": (
        _Step("would block", "constraint",
              "SELECT constraint_pk FROM trial_constraints WHERE trial_pk = ? ORDER BY 1"),
        _Step("was tried in", "strategy", "SELECT strategy_pk FROM trials WHERE pk = ?"),
    ),
}  # fmt: skip

_LABELS: dict[str, str] = {
    "run": "SELECT pk, run_id, door || ' run, ' || status FROM runs",
    "strategy": "SELECT s.pk, s.strategy_id, s.created_from || coalesce(' ' || t.template_id, '') "
    "FROM strategies s LEFT JOIN templates t ON t.pk = s.template_pk",
    "backtest": "SELECT b.pk, b.backtest_id, 'engine ' || c.engine_mode || ', ' || c.period_start || ' to ' "
    "|| c.period_end || ', ' || b.status FROM backtests b JOIN contexts c ON c.pk = b.context_pk",
    "score": "SELECT sc.pk, b.backtest_id, p.policy_version || ': ' || round(sc.score_total{cast}, 4) "
    "|| CASE WHEN sc.passed THEN ', passed' ELSE ', not passed' END FROM scores sc "
    "JOIN backtests b ON b.pk = sc.backtest_pk JOIN policies p ON p.pk = sc.policy_pk",
    "failure": "SELECT pk, failure_id, category || ', ' || severity || ': ' || summary FROM failures",
    "comparison": "SELECT ec.pk, b.backtest_id, CASE WHEN ec.agree THEN 'A and B agree' ELSE ec.reason END "
    "FROM engine_comparisons ec JOIN backtests b ON b.pk = ec.backtest_b_pk",
    "constraint": "SELECT pk, constraint_id, type || ' ' || params_json FROM constraints",
    "constraint_set": "SELECT pk, constraint_set_id, state FROM constraint_sets",
    "trial": "SELECT t.pk, t.trial_id, t.outcome || ', ' || t.arm || ' arm, iteration ' || i.iteration_id "
    "FROM trials t JOIN iterations i ON i.pk = t.iteration_pk",
    "promotion": "SELECT pr.pk, s.strategy_id, pr.decision || ' ' || pr.tier_from || ' to ' || pr.tier_to "
    "FROM promotion_records pr JOIN strategies s ON s.pk = pr.strategy_pk",
}
_ROOTS: dict[IdKind, tuple[str, str, int]] = {
    IdKind.RUN: ("runs", "run_id", 16),
    IdKind.STRATEGY: ("strategies", "strategy_id", 32),
    IdKind.BACKTEST: ("backtests", "backtest_id", 16),
    IdKind.FAILURE: ("failures", "failure_id", 32),
    IdKind.CONSTRAINT: ("constraints", "constraint_id", 32),
    IdKind.CONSTRAINT_SET: ("constraint_sets", "constraint_set_id", 32),
    IdKind.TRIAL: ("trials", "trial_id", 32),
}
_Place = tuple[str, int]  # kind and integer key


def lineage(session: Session, kind: IdKind, id: str, limit: int) -> Lineage:
    v.count(limit, "limit")
    kind = IdKind(v.member(IdKind, kind, "kind"))
    table, column, size = _ROOTS[kind]
    row = session.one(
        f"SELECT pk FROM {table} WHERE {column} = ? ORDER BY pk DESC LIMIT 1",
        [v.digest(id, size, f"{kind} id")],
    )
    if row is None:
        raise NotFound(f"no {kind} {id} is stored")
    root: _Place = (kind.value, int(row[0]))
    causes = [(there, here, how) for here, there, how in _follow(session, root, _CAUSES, limit)]
    effects = _follow(session, root, _EFFECTS, limit)
    edges = [*reversed(causes), *effects]
    names = _names(session, [root, *(place for edge in edges for place in edge[:2])])
    keys = {place: f"{node.kind}:{node.id}" for place, node in names.items()}
    nodes = {f"{node.kind}:{node.id}": node for node in names.values()}
    spelt = dict.fromkeys((keys[a], keys[b], how) for a, b, how in edges if keys[a] != keys[b])
    return Lineage(names[root], tuple(nodes.values()), tuple(spelt))


def _follow(
    session: Session, root: _Place, steps: dict[str, tuple[_Step, ...]], limit: int
) -> list[tuple[_Place, _Place, str]]:
    """Breadth first; each place is left once."""
    edges: list[tuple[_Place, _Place, str]] = []
    seen = {root}
    queue = [root]
    while queue and len(seen) <= limit * 5:
        here = queue.pop(0)
        for step in steps.get(here[0], ()):
            marks = step.sql.count("?")
            for row in session.rows(f"{step.sql} LIMIT {int(limit)}", [here[1]] * marks):
                if row[0] is None:
                    continue
                there = (step.kind, int(row[0]))
                edges.append((here, there, step.relation))
                if there not in seen:
                    seen.add(there)
                    queue.append(there)
    return edges


def _names(session: Session, places: Iterable[_Place]) -> dict[_Place, LineageNode]:
    by_kind: dict[str, list[int]] = {}
    for kind, pk in dict.fromkeys(places):
        by_kind.setdefault(kind, []).append(pk)
    found: dict[_Place, LineageNode] = {}
    cast = "" if session.dialect == "sqlite" else "::numeric"
    for kind, pks in by_kind.items():
        select = _LABELS[kind].replace("{cast}", cast)
        alias = select.split("SELECT ")[1].split(",")[0]
        for pk, raw, label in session.among(select, alias, pks):
            shown = v.uuid_text(raw) if len(raw) == 16 else raw.hex()
            found[(kind, pk)] = LineageNode(kind, shown, label)
    return {place: found[place] for place in dict.fromkeys(places)}
