"""Stored prices with dividends paid in cash: an input like the bars, so part of a result's identity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import quantrail as qt
from quantrail.bootstrap import open_services
from quantrail.config import load_settings
from quantrail.domain.market import MarketReader
from quantrail.engine import CorporateActions
from quantrail.errors import InvalidInput, NotFound
from quantrail.services.backtest import BacktestRequest, backtest
from quantrail.services.reproduce import reproduce

PERIOD = (date(2014, 1, 2), date(2014, 12, 31))
SPEC = qt.templates.buy_and_hold() | {"universe": {"symbols": ["AAPL"]}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled bars with two dividends of Apple on them."""
    home = tmp_path_factory.mktemp("raw") / "home"
    with qt.open(home) as lab:
        lab.data.import_sample()
        paid = {"symbol": ["AAPL", "AAPL"], "date": ["2014-05-08", "2014-08-07"], "dividend": [0.47, 0.47]}
        lab.data.import_actions(pd.DataFrame(paid), source="test")
    return home


@pytest.fixture
def lab(home: Path) -> Iterator[qt.Lab]:
    with qt.open(home) as opened:
        yield opened


class OtherActions:
    """A market reader whose bars are the same and whose dividends are not."""

    def __init__(self, inner: MarketReader) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def actions(self, *arguments: Any, **options: Any) -> CorporateActions:
        found = self.inner.actions(*arguments, **options)
        return CorporateActions(found.splits, {key: 2 * cash for key, cash in found.dividends.items()})


def test_dividends_are_paid_in_cash_and_belong_to_the_identity(lab: qt.Lab) -> None:
    plain = lab.backtest(SPEC, engine="b", period=PERIOD, execution="market_v1")
    paid = lab.backtest(SPEC, engine="b", period=PERIOD, raw=True)
    assert plain.id != paid.id
    shares = paid.trades["quantity"].iloc[0]
    assert paid.equity.iloc[-1] - plain.equity.iloc[-1] == pytest.approx(2 * 0.47 * shares)
    assert [r.equal for r in lab.reproduce([plain.id, paid.id])] == [True, True]


def test_without_actions_the_models_and_ids_are_what_they_were(lab: qt.Lab) -> None:
    result = lab.backtest(SPEC, engine="b", period=PERIOD)
    assert lab.show(result.id).backtest.model_versions.settings == ()


def test_other_dividends_are_another_backtest_and_do_not_reproduce_this_one(home: Path) -> None:
    with open_services(load_settings(home)) as services:
        request = BacktestRequest(SPEC, "b", PERIOD, raw=True)
        (ours,) = backtest(services, request)
        changed = replace(services, market=OtherActions(services.market))
        (theirs,) = backtest(changed, request)
        assert (ours.strategy_id, ours.backtest_id) != (theirs.strategy_id, theirs.backtest_id)
        assert ours.strategy_id == theirs.strategy_id
        (found,) = reproduce(changed, [ours.backtest_id])
    assert (found.equal, found.cause) == (False, "data")
    assert "splits and dividends are not those" in found.detail


def test_what_cannot_be_paid_is_told(lab: qt.Lab) -> None:
    with pytest.raises(NotFound, match="no split or dividend of XOM is stored"):
        lab.backtest(SPEC | {"universe": {"symbols": ["XOM"]}}, period=PERIOD, raw=True)
    with pytest.raises(InvalidInput, match="are engine B's"):
        lab.backtest(SPEC, engine="a", period=PERIOD, raw=True)


@pytest.mark.parametrize("basis", ["total_return", "raw"])
def test_a_benchmark_is_never_held_so_its_actions_do_not_matter(tmp_path: Path, basis: str) -> None:
    days = pd.bdate_range("2015-01-01", periods=40)
    flat = pd.DataFrame({"date": days, "volume": 1e6, "dividend": 0.0, "split": 1.0})
    flat[["open", "high", "low", "close"]] = 100.0
    flat.loc[20, "dividend"] = 1.0
    spec = qt.templates.buy_and_hold() | {"universe": {"symbols": ["AAA"]}}
    with qt.open(tmp_path / "home") as lab:
        lab.data.import_bars(flat.assign(symbol="AAA"), basis="raw", source="test")
        lab.data.import_bars(flat.assign(symbol="INDEX"), basis=basis, source="test")
        alone = lab.backtest(spec, engine="b", raw=True)
        result = lab.backtest(spec, engine="b", raw=True, benchmark="INDEX")
        assert result.equity.tolist() == alone.equity.tolist()
        settings = [lab.show(r.id).backtest.model_versions.settings for r in (alone, result)]
        assert settings[0] == settings[1]
        assert [(r.equal, r.detail) for r in lab.reproduce([result.id])] == [(True, "")]
