"""What stands beside the metrics' columns: values without one, reasons and warnings."""

from __future__ import annotations

from collections.abc import Sequence

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.errors import Conflict, InvalidInput
from quantrail.knowledge import values as v
from quantrail.knowledge.schema import METRIC_COLUMNS
from quantrail.knowledge.session import Session

_METRIC_SET = frozenset(METRIC_COLUMNS)
_NOTES = (
    "SELECT m.backtest_pk, coalesce(m.quality_warnings_json, n.body) FROM metrics m "
    "LEFT JOIN texts n ON n.pk = m.notes_text_pk"
)
_NOTHING: dict[str, object] = {"undefined": {}, "warnings": []}


def more_json(m: r.Metrics) -> str | None:
    """Metrics without a column of their own."""
    if _METRIC_SET.issuperset(m.values):
        return None
    more = {name: value for name, value in m.values.items() if name not in _METRIC_SET}
    names = [v.word(name, "name of a metric") for name in more]
    v.reals(list(more.values()), names)
    return v.json_text(more, f"metrics of {m.backtest_id}")


def explained(m: r.Metrics) -> None:
    """Each undefined value has its reason, and a drawdown its sign."""
    undefined = [name for name, value in m.values.items() if value is None]
    if undefined and not all(map(m.undefined.get, undefined)):
        missing = sorted(name for name in undefined if not m.undefined.get(name))
        raise InvalidInput(f"metrics of {m.backtest_id}: {', '.join(missing)} undefined without a reason")
    drawdown = m.values.get("max_drawdown_net")
    if drawdown is not None and drawdown > 0:
        raise InvalidInput(f"max_drawdown_net of {m.backtest_id} is {drawdown}; a drawdown is never positive")


def same_notes(session: Session, metrics: Sequence[r.Metrics], pks: Sequence[int], written: Written) -> None:
    """Conflict when metrics that are known already say other things beside the same values.

    Compared as they read, not by key: earlier releases kept the text with each row.
    """
    known = [(pk, m) for pk, m, new in zip(pks, metrics, written.is_new, strict=True) if not new]
    texts = {row[0]: row[1] for row in session.among(_NOTES, "m.backtest_pk", [pk for pk, _ in known])}
    for pk, m in known:
        stored = _NOTHING if texts[pk] is None else v.from_json(texts[pk])
        offered = {"undefined": dict(m.undefined), "warnings": list(m.warnings)}
        if stored != offered:
            raise Conflict(
                f"metrics: {m.backtest_id} is stored with notes {stored!r:.200}, now offered with "
                f"{offered!r:.200}; nothing was changed",
                table="metrics",
                key=m.backtest_id,
                column="quality_warnings_json",
                stored=stored,
                offered=offered,
            )
