from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrail.marketdata import MarketStore

ROWS = st.lists(
    st.tuples(st.sampled_from(["A", "B", "C"]), st.integers(0, 500), st.floats(0.01, 1e6), st.floats(0, 1e9)),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)


def frame(rows: list[tuple[str, int, float, float]]) -> pl.DataFrame:
    table = [(s, date(2019, 6, 1) + timedelta(days=d), p, p, p, p, v) for s, d, p, v in rows]
    return pl.DataFrame(
        table, schema=["symbol", "date", "open", "high", "low", "close", "volume"], orient="row"
    )


def version_after(pieces: list[pl.DataFrame]) -> str:
    with TemporaryDirectory() as folder:
        store = MarketStore(Path(folder), lambda: datetime(2026, 11, 21, tzinfo=UTC))
        for piece in pieces:
            if piece.height:
                store.import_bars(piece, source="x", check=False)
        current = store.current()
        assert current is not None
        return current.version


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, data=st.data())
def test_the_same_rows_in_any_order_and_split_have_the_same_version(rows: list, data: st.DataObject) -> None:  # type: ignore[type-arg]
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    assert version_after([frame(rows)]) == version_after([frame(shuffled[:cut]), frame(shuffled[cut:])])


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, data=st.data())
def test_any_changed_row_changes_the_version(rows: list, data: st.DataObject) -> None:  # type: ignore[type-arg]
    index = data.draw(st.integers(0, len(rows) - 1))
    symbol, day, price, volume = rows[index]
    other = [*rows]
    other[index] = (symbol, day, price * 1.5, volume)
    assert version_after([frame(rows)]) != version_after([frame(other)])
