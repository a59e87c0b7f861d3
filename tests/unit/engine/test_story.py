"""Why did it buy on that day?"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import Period
from quantrail.engine import VerifyResult, explain_day, explain_trade, verify
from quantrail.errors import NotFound
from quantrail.testing.engines import bars_of, compare_with, spec_of

PRICES = [100, 99, 101, 103, 102, 100, 98]


@pytest.fixture
def found() -> VerifyResult:
    bars = bars_of({"X": [(p, p, p, p) for p in PRICES]})
    both = {
        "node": "AND",
        "children": [compare_with("close", ">", 100.0), compare_with("close", ">", "close", lag=1)],
    }
    # close[1 ago] > close: the price fell
    spec = spec_of(["X"], entry=compare_with("close", ">", 100.0), leave=compare_with("close", "<", 101.0))
    spec["modules"]["long"]["entry"] = both  # type: ignore[index]
    both["children"][1] = {  # type: ignore[index]
        "node": "CMP", "left": {"ref": "close"}, "op": ">", "right": {"ref": "close", "lag": 1}
    }  # fmt: skip
    period = Period(bars.sessions[0].item(), bars.sessions[-1].item())
    return verify(bars, spec, period, CalcContract(), ModelVersions())


def test_a_trade_names_the_clauses_that_let_it_in_and_out(found: VerifyResult) -> None:
    story = explain_trade(found, 0)
    assert story.entry.session == found.result.sessions[2].item()
    states = {clause.text: clause.held for clause in story.entry.clauses}
    assert states["long entry: close > 100.0"]
    assert states["long entry: close > close[1 ago]"]
    assert not states["long exit: close < 101.0"]
    assert story.exit is not None
    assert story.exit.session == found.result.sessions[5].item()
    assert "EXIT (SIGNAL)" in story.exit.decisions
    assert len(story.fills) == 2
    assert "bought" in str(story)
    assert "sold" in str(story)


def test_a_day_without_a_trade_says_which_clause_failed(found: VerifyResult) -> None:
    day = explain_day(found, "X", found.result.sessions[1].item())
    assert day.decisions == ()
    assert "decided: nothing" in str(day)
    assert {c.text for c in day.clauses if not c.held} >= {"long entry: close > 100.0"}


def test_the_first_day_says_what_was_missing(found: VerifyResult) -> None:
    day = explain_day(found, "X", 0)
    assert any(clause.missing for clause in day.clauses)
    assert day.decisions == ("SKIP (DATA_MISSING)",)


def test_questions_about_nothing_are_answered_as_such(found: VerifyResult) -> None:
    with pytest.raises(NotFound, match="counted from 0"):
        explain_trade(found, 7)
    with pytest.raises(NotFound, match="not in the result"):
        explain_day(found, "Y", 0)
    with pytest.raises(NotFound, match="not a session"):
        explain_day(found, "X", found.result.sessions[-1].item().replace(year=2031))


def test_logs_travel_as_tables_clause_by_clause(found: VerifyResult, tmp_path: Path) -> None:
    tables = found.tables()
    for name, table in tables.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    clauses = pq.read_table(tmp_path / "clauses.parquet").to_pylist()
    assert len(clauses) == len(found.decisions["bar"]) * len(found.clauses)
    entered = [row for row in clauses if row["bar"] == 2 and row["clause"].startswith("long entry")]
    assert entered
    assert all(row["held"] for row in entered)
    assert pq.read_table(tmp_path / "fills.parquet").num_rows == 2
    assert set(tables) == {"decisions", "orders", "fills", "trades", "clauses"}
