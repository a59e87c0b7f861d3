"""Both engines against ledgers worked out by hand (``ledgers.yaml``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import Period
from quantrail.engine import CorporateActions, VerifyResult, compare, prepare, screen, verify
from quantrail.strategy import NormalSpec
from quantrail.testing.engines import bars_of, compare_with, spec_of

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "ledgers.yaml").read_text(encoding="utf-8")
)
LIGHT = [case for case in CASES if "models" not in case]
CONTRACT = CalcContract(initial_capital=1_000.0)
FALSE = {"node": "FALSE"}


def spec_for(case: dict[str, Any]) -> NormalSpec:
    def condition(name: str) -> Any:
        return compare_with(*case[name]) if name in case else FALSE

    return spec_of(
        ["X"],
        entry=condition("entry") if "entry" in case else None,
        leave=condition("exit"),
        short=(condition("short"), FALSE) if "short" in case else None,
        hard_stop=case.get("hard_stop"),
        trailing_stop=case.get("trailing_stop"),
        take_profit=case.get("take_profit", ()),
        holding=case.get("holding"),
        cooldown=case.get("cooldown", 0),
        drawdown=case.get("drawdown"),
        max_gross=case.get("max_gross", 1.0),
        max_weight=case.get("max_gross", 1.0),
        costs_bps=tuple(case.get("costs", (0, 0, 0))),
        order=case.get("order"),
        halt_after=case.get("halt_after"),
    )


def run_b(case: dict[str, Any]) -> VerifyResult:
    bars = bars_of({"X": case["bars"]})
    models = dict(case.get("models", {}))
    parts = {name: models.pop(name) for name in ("execution", "portfolio") if name in models}
    actions = None
    if "splits" in case or "dividends" in case:
        days = [day.item() for day in bars.sessions]
        actions = CorporateActions(
            splits={("X", days[t]): v for t, v in case.get("splits", {}).items()},
            dividends={("X", days[t]): v for t, v in case.get("dividends", {}).items()},
        )
    versions = ModelVersions(**parts, settings=tuple(sorted(models.items())))
    period = Period(bars.sessions[0].item(), bars.sessions[-1].item())
    return verify(bars, spec_for(case), period, CONTRACT, versions, actions)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_engine_b_keeps_the_ledger(case: dict[str, Any]) -> None:
    found = run_b(case)
    fills = found.fills
    got = [
        (int(bar), side * quantity, price, reason)
        for bar, side, quantity, price, reason in zip(
            *(fills[k].tolist() for k in ("bar", "side", "quantity", "price", "reason")), strict=True
        )
    ]
    assert [(row[0], row[3]) for row in got] == [(row[0], row[3]) for row in case["fills"]]
    for ours, wanted in zip(got, case["fills"], strict=True):
        assert ours[1:3] == pytest.approx(tuple(wanted[1:3]), rel=1e-12)
    np.testing.assert_allclose(found.result.equity, case["equity"], rtol=1e-12)
    assert found.result.trades.is_open.any() == case.get("open_at_end", False)
    if "orders" in case:
        entries = found.orders["intent"] == "ENTRY"
        fates = zip(found.orders["state"][entries], found.orders["reason"][entries], strict=True)
        assert [list(fate) for fate in fates] == case["orders"]
    if "excursions" in case:
        trades = found.result.trades
        np.testing.assert_allclose(np.column_stack((trades.mfe, trades.mae)), case["excursions"], rtol=1e-12)


@pytest.mark.parametrize("case", LIGHT, ids=[case["name"] for case in LIGHT])
def test_engine_a_keeps_the_same_ledger(case: dict[str, Any]) -> None:
    bars = bars_of({"X": case["bars"]})
    period = Period(bars.sessions[0].item(), bars.sessions[-1].item())
    ours = screen(prepare(bars, [spec_for(case)]), period, CONTRACT).result(0)
    np.testing.assert_allclose(ours.equity, case["equity"], rtol=1e-12)
    assert compare(ours, run_b(case).result).agree


def test_there_are_at_least_twelve_situations_and_light_ones_among_them() -> None:
    assert len(CASES) >= 12
    assert len(LIGHT) >= 8
