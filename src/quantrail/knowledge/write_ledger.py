"""Writes beside the main path: robustness, reports, trust, live operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quantrail.domain import ledger
from quantrail.domain.answers import Written
from quantrail.domain.enums import DriftCause, Severity
from quantrail.domain.identity import content_hash
from quantrail.errors import InvalidInput
from quantrail.knowledge import values as v
from quantrail.knowledge.bands import save_bands
from quantrail.knowledge.keys import Keys, relative_path
from quantrail.knowledge.put import Put
from quantrail.knowledge.session import Row

# The ids of cases and findings are hashes of what is not compared here, those of reports of all but this.
_CASES = Put("robustness_cases", ["case_id"], ["passed", "metrics_json"])
_REPORTS = Put(
    "reports", ["report_id"], ["doc_store_id"], {"doc_store_id": lambda _, __, offered: not offered}
)
_FINGERPRINTS = Put("fingerprints", ["strategy_pk", "algorithm", "data_version"], ["value"])
_FINDINGS = Put("data_findings", ["finding_id"], ["severity", "quarantined"])
_LIVE = Put(
    "live_trades",
    ["live_trade_id"],
    ["strategy_pk", "backtest_pk", "account", "symbol", "quantity", "price", "costs_total", "executed_at"],
)
_REPLAYS = Put(
    "replays",
    ["replay_id"],
    ["strategy_pk", "backtest_pk", "period_start", "period_end", "agree", "difference_json"],
)


def _strategy(keys: Keys, strategy_id: str) -> int:
    raw = v.hash32(strategy_id, "strategy_id")
    return keys.need_strategies([raw])[raw]


def _backtest(keys: Keys, backtest_id: str) -> int:
    raw = v.uuid16(backtest_id, "backtest_id")
    return keys.need_backtests([raw])[raw].pk


def _maybe_backtest(keys: Keys, backtest_id: str | None) -> int | None:
    return None if backtest_id is None else _backtest(keys, backtest_id)


def _append(keys: Keys, table: str, rows: Sequence[Row]) -> None:
    first = keys.session.reserve(table, len(rows))
    keys.session.insert(table, [(first + i, *row) for i, row in enumerate(rows)])


def _id_of(*content: Any) -> bytes:
    return bytes.fromhex(content_hash(list(content)))


def save_robustness_cases(keys: Keys, cases: Sequence[ledger.RobustnessCase]) -> Written:
    paths, lines = keys.artifacts([c.metrics_ref for c in cases])
    rows = [
        (_id_of(c.backtest_id, c.type, dict(c.params), c.policy_version), _backtest(keys, c.backtest_id),
         v.label(c.type, "case type"), v.object_json(c.params, "params"), v.object_json(c.metrics, "metrics"),
         path, line, bool(c.passed), keys.policy(c.policy_version), keys.now())
        for c, path, line in zip(cases, paths, lines, strict=True)
    ]  # fmt: skip
    return _CASES(keys.session, rows)[1]


def save_reports(keys: Keys, reports: Sequence[ledger.Report]) -> Written:
    """A report is known by its subject and its paths. Its text document may come later, once."""
    rows = [_report(keys, one) for one in reports]
    for row in rows:
        if row[6] is not None:
            keys.session.run(
                "UPDATE reports SET doc_store_id = ? WHERE report_id = ? AND doc_store_id IS NULL",
                (row[6], row[0]),
            )
    return _REPORTS(keys.session, rows)[1]


def _report(keys: Keys, r: ledger.Report) -> Row:
    if (r.run_id is None) == (r.backtest_id is None):
        raise InvalidInput("a report names either a run or a backtest")
    paths = (r.tearsheet_html_path, r.tearsheet_pdf_path, r.summary_json_path)
    return (
        _id_of(r.run_id, r.backtest_id, *paths), None if r.run_id is None else keys.run(r.run_id),
        _maybe_backtest(keys, r.backtest_id),
        *(None if path is None else relative_path(path) for path in paths),
        v.maybe_label(r.doc_store_id, "doc_store_id"), keys.now(),
    )  # fmt: skip


def save_fingerprints(keys: Keys, fingerprints: Sequence[ledger.Fingerprint]) -> Written:
    rows = [
        (_strategy(keys, f.strategy_id), v.label(f.algorithm, "algorithm"),
         v.hash32(f.data_version, "data_version"), _mark(f), keys.now())
        for f in fingerprints
    ]  # fmt: skip
    pks, written = _FINGERPRINTS(keys.session, rows)
    new = [(pk, f) for pk, f, is_new in zip(pks, fingerprints, written.is_new, strict=True) if is_new]
    marks = [(f.algorithm, str(f.data_version), f.value) for _, f in new]
    save_bands(keys.session, [pk for pk, _ in new], marks)
    return written


def _mark(f: ledger.Fingerprint) -> bytes:
    if not isinstance(f.value, bytes):
        raise InvalidInput(f"the fingerprint of {f.strategy_id} is no bytes: {f.value!r:.60}")
    return f.value


def save_holdout_read(keys: Keys, read: ledger.HoldoutRead) -> None:
    row = (
        _strategy(keys, read.strategy_id), v.prose(read.purpose, "purpose"),
        *v.period(read.period_start, read.period_end),
        v.maybe_label(read.requested_by, "requested_by"), keys.now(),
    )  # fmt: skip
    _append(keys, "holdout_reads", [row])


def save_reproductions(keys: Keys, reproductions: Sequence[ledger.Reproduction]) -> None:
    rows = [
        (_backtest(keys, r.backtest_id), bool(r.equal),
         None if r.cause is None else v.member(DriftCause, r.cause, "cause"),
         _maybe_hash(r.result_hash_stored), _maybe_hash(r.result_hash_found),
         v.label(r.code_version, "code_version"), v.prose(r.detail, "detail"), keys.now())
        for r in reproductions
    ]  # fmt: skip
    _append(keys, "reproductions", rows)


def _maybe_hash(value: str | None) -> bytes | None:
    return None if value is None else v.hash32(value, "result_hash")


def save_recall(keys: Keys, recall: ledger.Recall) -> None:
    row = (v.label(recall.kind, "recall kind"), v.label(recall.target, "target"),
           v.prose(recall.reason, "reason"), v.object_json(recall.outcome, "outcome"),
           keys.now())  # fmt: skip
    _append(keys, "recalls", [row])


def save_data_findings(keys: Keys, findings: Sequence[ledger.DataFinding]) -> Written:
    rows = [
        (_id_of(f.data_version, f.symbol, None if f.date is None else f.date.isoformat(), f.kind, f.detail),
         keys.snapshot(f.data_version), v.label(f.symbol, "symbol"),
         None if f.date is None else v.day(f.date, "date"), v.label(f.kind, "finding kind"),
         v.member(Severity, f.severity, "severity"),
         v.prose(f.detail, "detail"), bool(f.quarantined), keys.now())
        for f in findings
    ]  # fmt: skip
    return _FINDINGS(keys.session, rows)[1]


def save_live_trades(keys: Keys, trades: Sequence[ledger.LiveTrade]) -> Written:
    rows = [
        (v.label(t.live_trade_id, "live_trade_id"), _strategy(keys, t.strategy_id),
         _maybe_backtest(keys, t.backtest_id), v.label(t.account, "account"), v.label(t.symbol, "symbol"),
         v.real(t.quantity, "quantity"), v.real(t.price, "price"), v.real(t.costs_total, "costs_total"),
         v.stamp(t.executed_at, "executed_at"), keys.now())
        for t in trades
    ]  # fmt: skip
    return _LIVE(keys.session, rows)[1]


def save_replays(keys: Keys, replays: Sequence[ledger.Replay]) -> Written:
    rows = [
        (v.label(r.replay_id, "replay_id"), _strategy(keys, r.strategy_id), _backtest(keys, r.backtest_id),
         *v.period(r.period_start, r.period_end), bool(r.agree),
         v.object_json(r.difference, "difference"), keys.now())
        for r in replays
    ]  # fmt: skip
    return _REPLAYS(keys.session, rows)[1]
