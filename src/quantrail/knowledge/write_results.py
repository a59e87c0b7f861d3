"""Writes about backtests: metrics, scores, trials, engine comparisons."""

from __future__ import annotations

from collections.abc import Sequence

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.errors import InvalidInput
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import BacktestKeys, Keys, Told
from quantrail.knowledge.put import Put
from quantrail.knowledge.schema import FIRST_METRICS, METRIC_COLUMNS
from quantrail.knowledge.session import Row

_METRICS = Put("metrics", ["backtest_pk"], [*METRIC_COLUMNS, "more_json"])
_SCORES = Put("scores", ["backtest_pk", "policy_pk"], ["score_total", "passed", "breakdown_json"])
_TRIALS = Put("trials", ["trial_id"], ["strategy_pk"], bytes.hex)
_COMPARISONS = Put("engine_comparisons", ["backtest_a_pk", "backtest_b_pk"], ["agree", "reason"])
_METRIC_SET = frozenset(METRIC_COLUMNS)
_FIRST = len(FIRST_METRICS)
_NOTHING_SAID = ((), ())


def save_metrics(keys: Keys, metrics: Sequence[r.Metrics]) -> Written:
    raws = [keys.backtest_raws[m.backtest_id] for m in metrics]
    found = keys.need_backtests(raws)
    asked = _Asked(keys)
    rows = [_metrics(asked, m, found[raw]) for m, raw in zip(metrics, raws, strict=True)]
    bare = keys.unmeasured
    written = _METRICS(keys.session, rows, [row for row in rows if row[0] not in bare])[1]
    bare.difference_update(row[0] for row in rows)
    return written


class _Asked:
    """What the metrics of a batch ask of the store, each once."""

    def __init__(self, keys: Keys) -> None:
        self.contracts = Told(keys.contract_of_hash)
        self.files = Told(keys.file)
        self.notes = Told(lambda said: keys.text(v.notes_json(*said)))


def _metrics(asked: _Asked, m: r.Metrics, backtest: BacktestKeys) -> Row:
    echoed = asked.contracts[m.calc_contract_hash]
    if echoed != backtest.contract_pk:
        raise InvalidInput(
            f"metrics of {m.backtest_id} echo contract {m.calc_contract_hash}, which is not its backtest's"
        )
    _explained(m)
    values = v.reals(list(map(m.values.get, METRIC_COLUMNS)), METRIC_COLUMNS)
    said = (tuple(m.undefined.items()), tuple(m.warnings))
    file = m.metrics_json_path
    return (
        backtest.pk, echoed, *values[:_FIRST], _more(m), None,
        None if file is None else asked.files[file.path], None if file is None else file.row,
        v.word(m.schema_version, "schema_version"), *values[_FIRST:],
        asked.notes[said] if said != _NOTHING_SAID else None,
    )  # fmt: skip


def _more(m: r.Metrics) -> str | None:
    """Metrics without a column of their own."""
    if _METRIC_SET.issuperset(m.values):
        return None
    more = {name: value for name, value in m.values.items() if name not in _METRIC_SET}
    return v.json_text(more, f"metrics of {m.backtest_id}")


def _explained(m: r.Metrics) -> None:
    undefined = [name for name, value in m.values.items() if value is None]
    if undefined and not m.undefined.keys() >= set(undefined):
        missing = sorted(set(undefined) - m.undefined.keys())
        raise InvalidInput(f"metrics of {m.backtest_id}: {', '.join(missing)} undefined without a reason")
    drawdown = m.values.get("max_drawdown_net")
    if drawdown is not None and drawdown > 0:
        raise InvalidInput(f"max_drawdown_net of {m.backtest_id} is {drawdown}; a drawdown is never positive")


def save_scores(keys: Keys, scores: Sequence[r.Score]) -> Written:
    raws = [keys.backtest_raws[s.backtest_id] for s in scores]
    found = keys.need_backtests(raws)
    now = keys.now()
    policies = Told(keys.policy)
    rows = [
        _score(s, policies[s.policy_version], found[raw], now) for s, raw in zip(scores, raws, strict=True)
    ]
    bare = keys.unscored
    written = _SCORES(keys.session, rows, [row for row in rows if row[1] not in bare])[1]
    bare.difference_update(row[1] for row in rows)
    return written


def _score(s: r.Score, policy: int, b: BacktestKeys, now: int) -> Row:
    total = v.real(s.score_total, "score_total")
    if not 0 <= total <= 1:
        raise InvalidInput(f"score_total of {s.backtest_id} is {total}, which is not within 0..1")
    return (
        policy, b.pk, total, bool(s.passed), b.engine_mode, b.strategy_pk, b.run_pk,
        b.template_pk, v.json_text(s.breakdown, "breakdown"),
        v.names_json(s.fail_reasons, "fail_reasons"), now,
    )  # fmt: skip


def save_trials(keys: Keys, trials: Sequence[r.Trial]) -> Written:
    keys.need_strategies(keys.strategy_raws[t.strategy_id] for t in trials)
    keys.need_backtests(keys.backtest_raws[t.backtest_id] for t in trials if t.backtest_id is not None)
    now = keys.now()
    iterations = Told(lambda asked: keys.iteration(*asked))
    return _TRIALS(keys.session, [_trial(keys, t, iterations, now) for t in trials])[1]


def _trial(keys: Keys, t: r.Trial, iterations: Told[int], now: int) -> Row:
    if t.backtest_id is None and t.outcome not in ("blocked", "duplicate"):
        raise InvalidInput(f"trial {t.trial_id} is {t.outcome} but names no backtest")
    backtest = None if t.backtest_id is None else keys.backtests[keys.backtest_raws[t.backtest_id]].pk
    return (
        v.hash32(t.trial_id, "trial_id"), iterations[t.run_id, t.iteration_id],
        v.whole(t.ordinal, "ordinal"),
        keys.trial_context(t), keys.strategies[keys.strategy_raws[t.strategy_id]], backtest, str(t.arm),
        str(t.outcome), now,
    )  # fmt: skip


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
