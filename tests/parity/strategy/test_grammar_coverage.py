"""Whatever the grammar accepts, both engines run alike; what they cannot, the validator refuses."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any, get_args

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.engine import compare, prepare, screen, verify
from quantrail.errors import SpecInvalid
from quantrail.strategy import FEATURE_TYPES, SUPPORTED, TEMPLATES, VARIABLES, canonicalise, parse_spec
from quantrail.strategy.models import Execution, Order, TradableFilter, Universe
from quantrail.strategy.nodes import NODE_KINDS
from quantrail.testing.engines import with_made_up_records

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
PERIOD = Period(date(2019, 6, 1), date(2020, 10, 1))
BASE: dict[str, Any] = {
    "universe": {"symbols": list(SYMBOLS)},
    "features": {
        "fast": {"type": "sma", "params": {"period": 5}},
        "slow": {"type": "sma", "params": {"period": 15}},
    },
    "conditions": {
        "up": {"node": "CMP", "left": "fast", "op": ">", "right": "slow"},
        "down": {"node": "CMP", "left": "fast", "op": "<", "right": "slow"},
    },
    "modules": {"entry": {"condition": {"ref": "up"}}, "exit": {"condition": {"ref": "down"}}},
}
CONDITIONS: dict[str, dict[str, Any]] = {
    **{
        f"CMP {op}": {"node": "CMP", "left": "close", "op": op, "right": "slow"}
        for op in ("==", "!=", ">", ">=", "<", "<=")
    },
    "CMP number": {"node": "CMP", "left": "close", "op": ">", "right": 100},
    "CMP lag and scale": {
        "node": "CMP",
        "left": "close",
        "op": ">",
        "right": {"ref": "slow", "lag": 2, "scale": 1.01},
    },
    "CMP negative scale": {"node": "CMP", "left": {"ref": "close", "scale": -1}, "op": "<", "right": -100},
    "CMP itself": {"node": "CMP", "left": "close", "op": ">=", "right": "close"},
    "CROSS_ABOVE": {"node": "CROSS_ABOVE", "left": "fast", "right": "slow"},
    "CROSS_ABOVE lag": {"node": "CROSS_ABOVE", "left": {"ref": "fast", "lag": 1}, "right": "slow"},
    "CROSS_ABOVE of a constant": {"node": "CROSS_ABOVE", "left": 100, "right": "close"},
    "CROSS_BELOW": {"node": "CROSS_BELOW", "left": "fast", "right": 101.5},
    "AND": {
        "node": "AND",
        "children": [BASE["conditions"]["up"], {"node": "CMP", "left": "volume", "op": ">", "right": 2000}],
    },
    "OR": {
        "node": "OR",
        "children": [BASE["conditions"]["up"], {"node": "CMP", "left": "open", "op": ">", "right": "close"}],
    },
    "NOT": {"node": "NOT", "child": BASE["conditions"]["down"]},
    "IN numbers": {"node": "IN", "value": "volume", "set": [2000, 3000, 4000]},
    "IN texts": {"node": "IN", "value": "symbol", "set": ["AAA", "CCC"]},
    "BETWEEN": {"node": "BETWEEN", "value": "close", "low": "slow", "high": "fast"},
    "BETWEEN exclusive": {"node": "BETWEEN", "value": "close", "low": 95, "high": 110, "inclusive": False},
    "TRUE": {"node": "TRUE"},
    "FALSE": {"node": "FALSE"},
}
VARIABLE_USES: dict[str, dict[str, Any]] = {
    "regime_state": {"node": "CMP", "left": "regime_state", "op": "==", "right": "RISK_ON"},
    "regime_score": {"node": "CMP", "left": "regime_score", "op": ">=", "right": 0.5},
    "symbol": {"node": "CMP", "left": "symbol", "op": "!=", "right": "AAA"},
    "sector": {"node": "CMP", "left": "sector", "op": "==", "right": "TECH"},
    "position_qty": {"node": "CMP", "left": "position_qty", "op": "==", "right": 0},
    "position_avg_price": {"node": "CMP", "left": "close", "op": ">", "right": "position_avg_price"},
    "exposure_weight": {"node": "CMP", "left": "exposure_weight", "op": "<", "right": 0.5},
    "spread_bps": {"node": "CMP", "left": "spread_bps", "op": "<", "right": 5},
    "rvol": {"node": "CMP", "left": "rvol", "op": ">", "right": 1},
}
PCT, ATR = {"type": "pct", "value": 0.03}, {"type": "atr", "value": 2, "period": 10}
SETTINGS: dict[str, dict[str, Any]] = {
    "every symbol": {"universe": {"universe_source": "all"}},
    "no universe": {"universe": {}},
    **{f"hard stop {stop['type']}": {"risk": {"trade_risk": {"hard_stop": stop}}} for stop in (PCT, ATR)},
    **{
        f"trailing stop {stop['type']}": {"risk": {"trade_risk": {"trailing_stop": stop}}}
        for stop in (PCT, ATR)
    },
    "target pct": {"risk": {"trade_risk": {"take_profit": [PCT]}}},
    "targets atr": {
        "risk": {
            "trade_risk": {"take_profit": [{**ATR, "fraction": 0.5}, {**ATR, "value": 1, "fraction": 0.5}]}
        }
    },
    "daily loss": {"risk": {"portfolio_risk": {"max_daily_loss_pct": 0.02}}},
    "drawdown": {"risk": {"portfolio_risk": {"max_drawdown_pct": 0.05}}},
    "positions": {"portfolio_constraints": {"max_positions": 2, "max_position_weight": 0.3}},
    "net limit": {"portfolio_constraints": {"leverage": {"max_gross": 1, "max_net": 0.5}}},
    "leverage": {"portfolio_constraints": {"leverage": {"max_gross": 2, "max_net": 2}}},
    "equal weight": {"portfolio_constraints": {"sizing": {"type": "equal_weight"}}},
    "fixed fraction": {"portfolio_constraints": {"sizing": {"type": "fixed_fraction", "fraction": 0.2}}},
    "inverse vol": {"portfolio_constraints": {"sizing": {"type": "inverse_vol"}}},
    "vol target": {
        "portfolio_constraints": {"sizing": {"type": "vol_target", "target_volatility_annual": 0.1}}
    },
    "weekly": {"execution": {"rebalance": "weekly"}},
    "monthly": {"execution": {"rebalance": "monthly"}},
    **{policy: {"metadata": {"nan_policy": policy}} for policy in ("TREAT_AS_FALSE", "TREAT_AS_TRUE")},
    "no costs": {"cost_model": {name: {"value_bps": 0} for name in ("fees", "spread", "slippage")}},
}
MODULES: dict[str, dict[str, Any]] = {
    "cooldown": {"entry": {"condition": {"ref": "up"}, "cooldown_bars": 4}},
    "time stop": {"exit": {"condition": {"ref": "down"}, "time_stop": {"max_holding_bars": 3}}},
    "filter": {"entry": {"condition": {"ref": "up"}, "filter": {"ref": "up"}}},
    "entry off": {"entry": {"condition": {"ref": "up"}, "enabled": False}},
    "exit off": {"exit": {"condition": {"ref": "down"}, "enabled": False}},
    "short": {"direction": "short"},
    "both": {
        "direction": "both",
        "short_entry": {"condition": {"ref": "down"}},
        "short_exit": {"condition": {"ref": "up"}},
    },
    "top two": {"selection": {"feature": "fast", "top_n": 2}},
    "bottom one": {"selection": {"feature": "fast", "top_n": 1, "order": "asc"}},
}


def bars() -> Bars:
    rng = np.random.default_rng(11)
    shape = (len(SYMBOLS), 500)
    close = 100 * np.exp(np.cumsum(rng.normal(0.0005, 0.015, shape), axis=1))
    open_ = close * np.exp(rng.normal(0, 0.004, shape))
    high = np.maximum(open_, close) * 1.004
    low = np.minimum(open_, close) * 0.996
    volume = rng.integers(1, 6, shape) * 1000.0
    for column in (open_, high, low, close, volume):
        column[2, 300:304] = np.nan
    sessions = np.datetime64("2019-05-21") + np.arange(shape[1])
    return Bars(SYMBOLS, sessions, open_, high, low, close, volume, DataVersion("2" * 64))


MARKET = bars()


def runs(document: dict[str, Any]) -> int:
    """Number of trades, after checking that both engines run the document and agree."""
    spec = canonicalise(document).spec
    market = with_made_up_records(MARKET, spec["features"])
    screened = screen(prepare(market, [spec]), PERIOD, CalcContract())
    assert screened.errors == [None]
    verified = verify(market, spec, PERIOD, CalcContract(), ModelVersions())
    assert compare(screened.result(0), verified.result).agree
    return len(verified.result.trades)


def with_condition(condition: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(BASE)
    document["conditions"]["up"] = copy.deepcopy(condition)
    return document


@pytest.mark.parametrize("name", FEATURE_TYPES)
def test_every_feature_type_runs_in_both_engines(name: str) -> None:
    kind = FEATURE_TYPES[name]
    feature: dict[str, Any] = {"type": name}
    if len(kind.inputs) != kind.arity:
        feature["inputs"] = ["close", "open"][: kind.arity]
    feature |= {"params": dict.fromkeys(kind.texts, "CPI")} if kind.texts else {}
    document = with_condition({"node": "CMP", "left": "new", "op": ">", "right": {"ref": "new", "lag": 1}})
    document["features"]["new"] = feature
    assert runs(document) > 0
    if kind.free_inputs:
        document["features"]["new"] = {**feature, "inputs": ["fast", "slow"][: kind.arity]}
        assert runs(document) > 0


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_kind_of_condition_runs_in_both_engines(name: str) -> None:
    trades = runs(with_condition(CONDITIONS[name]))
    assert (trades == 0) == (name in ("FALSE", "CMP =="))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_runs_in_both_engines(name: str) -> None:
    assert runs({**copy.deepcopy(BASE), **SETTINGS[name]}) > 0


@pytest.mark.parametrize("name", MODULES)
def test_every_module_runs_in_both_engines(name: str) -> None:
    document = copy.deepcopy(BASE)
    document["modules"] |= MODULES[name]
    assert (runs(document) == 0) == (name == "entry off")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_runs_in_both_engines(name: str) -> None:
    runs(TEMPLATES[name].build(None, SYMBOLS))


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_runs_in_both_engines_or_is_refused(name: str) -> None:
    document = with_condition(VARIABLE_USES[name])
    document["modules"]["regime"] = {"mean_period": 20, "vol_window": 30}
    if name in SUPPORTED["variable"]:
        assert runs(document) > 0
    else:
        assert refusals(document) == {("$.conditions.up", "NO_DATA_SOURCE")}


UNIVERSE_LIMITS: dict[str, dict[str, Any]] = {
    "mean volume": {"tradable_filter": {"min_avg_vol_60": 3000}},
    "turnover": {"tradable_filter": {"min_dollar_vol_week": 1_600_000}},
    "strongest": {"ranking": {"period": 20, "top_n": 2}},
    "all": {"tradable_filter": {"min_avg_vol_60": 2900}, "ranking": {"top_n": 3}},
}


@pytest.mark.parametrize("name", UNIVERSE_LIMITS)
def test_every_limit_of_the_universe_binds_in_both_engines(name: str) -> None:
    document = {**copy.deepcopy(BASE), "universe": {"symbols": list(SYMBOLS), **UNIVERSE_LIMITS[name]}}
    assert 0 < runs(document) < runs(BASE)


def refusals(document: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(SpecInvalid) as caught:
        parse_spec(document)
    problems = caught.value.context["problems"]
    return {(".".join(item["path"].split(".")[:3]), item["code"]) for item in problems}


def test_the_cases_cover_every_node_and_every_choice_that_is_supported() -> None:
    written = {node["node"] for node in CONDITIONS.values()}
    assert written == set(NODE_KINDS)
    assert set(SUPPORTED["feature"]) == set(FEATURE_TYPES)
    for table, prefix in (("hard_stop", "hard stop "), ("trailing_stop", "trailing stop ")):
        assert {prefix + kind for kind in SUPPORTED[table]} <= set(SETTINGS)
    assert {kind.replace("_", " ") for kind in SUPPORTED["sizing"]} <= set(SETTINGS)
    assert SUPPORTED["rebalance"] <= set(SETTINGS)
    assert SUPPORTED["direction"] - {"long"} <= set(MODULES)


# Each order choice beside the document it changes: every entry takes all the money it can get.
FULL = {
    "portfolio_constraints": {"sizing": {"type": "fixed_fraction", "fraction": 1}},
    "cost_model": {"spread": {"value_bps": 6}},
}


def ordered(failures: int | None = None, **order: Any) -> dict[str, Any]:
    limits = {"portfolio_risk": {"halt_on_n_exec_failures": failures}}
    return {**copy.deepcopy(BASE), **FULL, "execution": {"order": order}, "risk": limits}


ORDERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "MKT": (ordered(type="MKT"), ordered(type="LMT")),
    "LMT": (ordered(type="LMT"), ordered()),
    "STP": (ordered(type="STP"), ordered()),
    "STP is not LMT": (ordered(type="STP"), ordered(type="LMT")),
    "DAY": (ordered(type="LMT", time_in_force="DAY"), ordered(type="LMT", time_in_force="GTC")),
    "GTC": (ordered(type="STP", time_in_force="GTC"), ordered(type="STP")),
    "max_adv_participation": (ordered(max_adv_participation=0.01), ordered()),
    "max_adv_participation GTC": (
        ordered(max_adv_participation=0.01, time_in_force="GTC"),
        ordered(max_adv_participation=0.01),
    ),
    "reject_if_spread_bps_gt": (ordered(reject_if_spread_bps_gt=10), ordered()),
    "halt_on_n_exec_failures": (ordered(failures=3), ordered()),
}


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_choice_changes_what_both_engines_do(name: str) -> None:
    documents = [canonicalise(document).spec for document in ORDERS[name]]
    screened = screen(prepare(MARKET, documents), PERIOD, CalcContract())
    verified = [verify(MARKET, spec, PERIOD, CalcContract(), ModelVersions()).result for spec in documents]
    for k, result in enumerate(verified):
        assert compare(screened.result(k), result).agree
    assert not np.array_equal(screened.equity[0], screened.equity[1])
    assert not np.array_equal(verified[0].equity, verified[1].equity)


def test_a_spread_within_its_limit_changes_nothing() -> None:
    assert runs(ordered(reject_if_spread_bps_gt=12)) == runs(ordered()) > 0
    assert runs(ordered(reject_if_spread_bps_gt=11.9)) == 0


def test_before_version_2_of_the_light_contract_every_order_is_a_market_order() -> None:
    models = ModelVersions(execution="next_open_v1")
    limit, plain = canonicalise(ordered(type="LMT")).spec, canonicalise(ordered()).spec
    old, now = (verify(MARKET, spec, PERIOD, CalcContract(), models).result for spec in (limit, plain))
    np.testing.assert_array_equal(old.equity, now.equity)


UNSUPPORTED = {
    "sector weight": {"portfolio_constraints": {"max_sector_weight": 0.3}},
    "correlation": {"portfolio_constraints": {"max_corr_to_portfolio": 0.8}},
    "spreads": {"universe": {"symbols": ["AAA"], "tradable_filter": {"max_spread_bps": 5}}},
    "another source": {"universe": {"universe_source": "sp500"}},
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_no_engine_runs_is_refused(name: str) -> None:
    codes = {code for _, code in refusals({**copy.deepcopy(BASE), **UNSUPPORTED[name]})}
    assert codes == {"UNSUPPORTED"}


def test_every_key_of_the_grammar_is_run_or_refused_by_a_case() -> None:
    assert set(Order.model_fields) - {"default_order_type"} == set(SUPPORTED["order"])
    assert set(Universe.model_fields) == {
        *SUPPORTED["universe"],
        "asset_class",
        "params",
    }
    assert set(TradableFilter.model_fields) == {*SUPPORTED["tradable_filter"], "max_spread_bps"}
    kinds = get_args(get_args(Order.model_fields["type"].annotation)[0])
    assert set(kinds) == SUPPORTED["order_type"]
    choices = {*kinds, *SUPPORTED["time_in_force"], *SUPPORTED["order"], "halt_on_n_exec_failures"}
    assert choices - {"type", "time_in_force"} <= set(ORDERS)
    assert set(Execution.model_fields) == {"mode", "rebalance", "order", "fill_policy"}
