"""Writes about backtests: metrics, scores, trials, engine comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import TrialArm, TrialOutcome
from quantrail.errors import InvalidInput
from quantrail.knowledge import batches as many
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import BacktestKeys, Keys, Told
from quantrail.knowledge.metric_notes import explained, more_json, same_notes
from quantrail.knowledge.put import COLUMNS, Put
from quantrail.knowledge.schema import METRIC_COLUMNS
from quantrail.knowledge.session import Row

_METRICS = Put("metrics", ["backtest_pk"], [*METRIC_COLUMNS, "more_json"])
_SCORES = Put(
    "scores", ["backtest_pk", "policy_pk"], ["score_total", "passed", "breakdown_json", "fail_reasons_json"]
)
# An iteration that is done again meets its own results: what it evaluated or could not then is cached now.
_RAN = frozenset({"evaluated", "cached", "error"})
_TRIALS = Put(
    "trials",
    ["trial_id"],
    ["strategy_pk", "backtest_pk", "iteration_pk", "ordinal", "context_pk", "arm", "outcome"],
    {"outcome": lambda _, stored, offered: {stored, offered} <= _RAN},
)
_COMPARISONS = Put(
    "engine_comparisons",
    ["backtest_a_pk", "backtest_b_pk"],
    ["agree", "reason", "max_abs_equity_diff", "pnl_effect", "first_difference_json"],
)
_BESIDE = ("more_json", "metrics_file_pk", "metrics_row", "schema_version", "notes_text_pk")
_NOTHING_SAID = ((), ())


def save_metrics(keys: Keys, metrics: Sequence[r.Metrics]) -> Written:
    raws = [keys.backtest_raws[m.backtest_id] for m in metrics]
    found = keys.need_backtests(raws)
    named = set().union(*{tuple(m.values) for m in metrics})
    names = [name for name in METRIC_COLUMNS if name in named]
    rows = _metrics(keys, metrics, [found[raw] for raw in raws], names)
    columns = ("backtest_pk", "calc_contract_pk", *names, *_BESIDE)
    bare = keys.unmeasured
    pks = {row[0] for row in rows}
    if len(pks) == len(rows) and bare.issuperset(pks):
        keys.session.insert("metrics", rows, columns)
        written = Written((True,) * len(rows))
    else:
        whole = [tuple(map(dict(zip(columns, row, strict=True)).get, COLUMNS["metrics"])) for row in rows]
        known = [row for row in whole if row[0] not in bare]
        written = _METRICS(keys.session, whole, known)[1]
        same_notes(keys.session, metrics, [row[0] for row in rows], written)
    bare.difference_update(pks)
    return written


def _metrics(
    keys: Keys, metrics: Sequence[r.Metrics], backtests: Sequence[BacktestKeys], names: Sequence[str]
) -> list[Row]:
    """Rows with the columns of ``names`` and those beside them; nobody has a value for the others."""
    contracts, notes = Told(keys.contract_of_hash), Told(lambda said: keys.text(v.notes_json(*said)))
    rows = []
    paths, lines = keys.artifacts([m.metrics_json_path for m in metrics])
    for m, backtest, path, line in zip(metrics, backtests, paths, lines, strict=True):
        if backtest.failed:
            raise _no_result("metrics", m.backtest_id)
        echoed = contracts[m.calc_contract_hash]
        if echoed != backtest.contract_pk:
            raise InvalidInput(
                f"metrics of {m.backtest_id} echo contract {m.calc_contract_hash}, not their backtest's"
            )
        explained(m)
        said = (tuple(m.undefined.items()), tuple(m.warnings))
        rows.append((
            backtest.pk, echoed, *v.reals(list(map(m.values.get, names)), names), more_json(m), path, line,
            v.word(m.schema_version, "schema_version"), notes[said] if said != _NOTHING_SAID else None,
        ))  # fmt: skip
    return rows


def _no_result(what: str, backtest_id: str) -> InvalidInput:
    return InvalidInput(
        f"backtest {backtest_id} is FAILED and has no result, so no {what}; insert its DONE record first"
    )


def save_scores(keys: Keys, scores: Sequence[r.Score]) -> Written:
    raws = [keys.backtest_raws[s.backtest_id] for s in scores]
    found = keys.need_backtests(raws)
    for s, raw in zip(scores, raws, strict=True):
        if found[raw].failed:
            raise _no_result("score", s.backtest_id)
    rows = _scores(keys, scores, [found[raw] for raw in raws])
    bare = keys.unscored
    known = [row for row in rows if row[1] not in bare]
    written = _SCORES(keys.session, rows, known)[1]
    bare.difference_update([row[1] for row in rows])
    return written


def _scores(keys: Keys, scores: Sequence[r.Score], backtests: Sequence[BacktestKeys]) -> list[Row]:
    policies = Told(keys.policy)
    columns = (
        [policies[s.policy_version] for s in scores],
        [b.pk for b in backtests],
        many.shares([s.score_total for s in scores], "score_total", [s.backtest_id for s in scores]),
        [bool(s.passed) for s in scores],
        [b.engine_mode for b in backtests],
        [b.strategy_pk for b in backtests],
        [b.run_pk for b in backtests],
        [b.template_pk for b in backtests],
        many.jsons([s.breakdown for s in scores], "breakdown"),
        [v.names_json(s.fail_reasons, "fail_reasons") for s in scores],
        repeat(keys.now(), len(scores)),
    )
    return list(zip(*columns, strict=True))


def save_trials(keys: Keys, trials: Sequence[r.Trial]) -> Written:
    raws = keys.backtest_raws
    keys.need_strategies([keys.strategy_raws[t.strategy_id] for t in trials])
    keys.need_backtests([raws[t.backtest_id] for t in trials if t.backtest_id is not None])
    rows = _trials(keys, trials)
    written = _TRIALS(keys.session, rows)[1]
    tests = keys.backtests
    for t, row in zip(trials, rows, strict=True):
        if row[5] is not None and tests[raws[t.backtest_id]].strategy_pk != row[4]:
            raise InvalidInput(
                f"trial {t.trial_id} is of strategy {t.strategy_id}, backtest {t.backtest_id} of another"
            )
    return written


def _trials(keys: Keys, trials: Sequence[r.Trial]) -> list[Row]:
    for t in trials:
        if t.backtest_id is None and t.outcome not in ("blocked", "duplicate"):
            raise InvalidInput(f"trial {t.trial_id} is {t.outcome} but names no backtest")
    raws, backtests = keys.backtest_raws, keys.backtests
    iterations = Told(lambda asked: keys.iteration(*asked))
    columns = (
        many.hashes([t.trial_id for t in trials], "trial_id"),
        [iterations[t.run_id, t.iteration_id] for t in trials],
        many.wholes([t.ordinal for t in trials], "ordinal"),
        [keys.trial_context(t) for t in trials],
        [keys.strategies[keys.strategy_raws[t.strategy_id]] for t in trials],
        [None if t.backtest_id is None else backtests[raws[t.backtest_id]].pk for t in trials],
        many.members(TrialArm, [t.arm for t in trials], "arm"),
        many.members(TrialOutcome, [t.outcome for t in trials], "outcome"),
        repeat(keys.now(), len(trials)),
    )
    return list(zip(*columns, strict=True))


def save_comparisons(keys: Keys, comparisons: Sequence[r.EngineComparison]) -> Written:
    ids = [(v.uuid16(c.backtest_a, "backtest_a"), v.uuid16(c.backtest_b, "backtest_b")) for c in comparisons]
    found = keys.need_backtests(one for pair in ids for one in pair)
    now = keys.now()
    rows = [
        (found[a].pk, found[b].pk, bool(c.agree), v.maybe_real(c.max_abs_equity_diff, "max_abs_equity_diff"),
         v.maybe_real(c.pnl_effect, "pnl_effect"), v.prose(c.reason, "reason"),
         v.maybe_json(c.first_difference, "first_difference"), now)
        for c, (a, b) in zip(comparisons, ids, strict=True)
    ]  # fmt: skip
    return _COMPARISONS(keys.session, rows)[1]
