"""A strategy document as pydantic models; every default of the language stands here.

What the models cannot say (names that must exist, limits, contradictions, what engines support) is
checked in :mod:`quantrail.strategy.checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from quantrail.strategy.limits import (
    FEATURE_KEY,
    MAX_CONDITIONS,
    MAX_FEATURES,
    SYMBOL,
)
from quantrail.strategy.nodes import Node, Number, ParameterValue, Part, Whole

Key = Annotated[str, StringConstraints(pattern=rf"^{FEATURE_KEY}$")]
Symbol = Annotated[str, StringConstraints(pattern=rf"^{SYMBOL}$")]
NanPolicy = Literal["DISALLOW_TRADE", "TREAT_AS_FALSE", "TREAT_AS_TRUE", "ERROR"]
Fraction = Annotated[Number, Field(gt=0, le=1)]
Bars = Annotated[Whole, Field(ge=1, le=10_000)]


class Metadata(Part):
    """Provenance; only ``nan_policy`` changes what the strategy does."""

    created_by: str | None = None
    tags: list[str] = Field(default_factory=list)
    notes: str | None = None
    data_requirements: dict[str, Any] = Field(default_factory=dict)
    nan_policy: NanPolicy = "DISALLOW_TRADE"
    template_id: str | None = None
    params: dict[str, Number | str] = Field(default_factory=dict)
    derived_from: list[str] = Field(default_factory=list)


class TradableFilter(Part):
    min_avg_vol_60: Annotated[Number, Field(ge=0)] | None = None
    min_dollar_vol_week: Annotated[Number, Field(ge=0)] | None = None
    max_spread_bps: Annotated[Number, Field(ge=0)] | None = None


class Ranking(Part):
    type: Literal["relative_strength"] = "relative_strength"
    period: Bars = 60
    top_n: Annotated[Whole, Field(ge=1, le=10_000)]


class Universe(Part):
    asset_class: Literal["equity", "etf", "crypto", "fx", "future", "index"] = "equity"
    symbols: Annotated[list[Symbol], Field(min_length=1, max_length=10_000)] | None = None
    universe_source: Key | None = None
    params: dict[str, Number | str] = Field(default_factory=dict)
    tradable_filter: TradableFilter | None = None
    ranking: Ranking | None = None


class Feature(Part):
    """``inputs`` and ``params`` left out take the type's defaults."""

    type: str
    inputs: Annotated[list[str], Field(max_length=8)] | None = None
    params: dict[str, ParameterValue] = Field(default_factory=dict)


class ConditionRef(Part):
    ref: str


class TimeStop(Part):
    enabled: bool = True
    max_holding_bars: Bars


class Entry(Part):
    condition: ConditionRef
    filter: ConditionRef | None = None
    enabled: bool = True
    cooldown_bars: Annotated[Whole, Field(ge=0, le=10_000)] = 0


class Exit(Part):
    condition: ConditionRef
    filter: ConditionRef | None = None
    enabled: bool = True
    time_stop: TimeStop | None = None


class Regime(Part):
    """``benchmark`` None: the equally weighted mean of the universe."""

    enabled: bool = True
    benchmark: Symbol | None = None
    mean_period: Annotated[Whole, Field(ge=2, le=1000)] = 200
    vol_period: Annotated[Whole, Field(ge=2, le=1000)] = 20
    vol_window: Annotated[Whole, Field(ge=2, le=1000)] = 252
    vol_percentile: Annotated[Number, Field(gt=0, lt=100)] = 80


class Selection(Part):
    enabled: bool = True
    feature: str
    top_n: Annotated[Whole, Field(ge=1, le=10_000)]
    order: Literal["desc", "asc"] = "desc"


class Modules(Part):
    entry: Entry
    exit: Exit
    direction: Literal["long", "short", "both"] = "long"
    short_entry: Entry | None = None
    short_exit: Exit | None = None
    regime: Regime | None = None
    selection: Selection | None = None


class PctDistance(Part):
    """A fraction of the entry price."""

    type: Literal["pct"]
    value: Annotated[Number, Field(gt=0, lt=1)]


class AtrDistance(Part):
    """A multiple of ATR(``period``)."""

    type: Literal["atr"]
    value: Annotated[Number, Field(gt=0, le=100)]
    period: Annotated[Whole, Field(ge=1, le=1000)] = 14


class PctTarget(Part):
    type: Literal["pct"]
    value: Annotated[Number, Field(gt=0, le=100)]
    fraction: Fraction = 1


class AtrTarget(AtrDistance):
    fraction: Fraction = 1


Stop = Annotated[PctDistance | AtrDistance, Field(discriminator="type")]
Target = Annotated[PctTarget | AtrTarget, Field(discriminator="type")]


class TradeRisk(Part):
    hard_stop: Stop | None = None
    trailing_stop: Stop | None = None
    take_profit: list[Target] = Field(default_factory=list, max_length=8)


class PortfolioRisk(Part):
    max_daily_loss_pct: Fraction | None = None
    max_drawdown_pct: Fraction | None = None
    halt_on_n_exec_failures: Annotated[Whole, Field(ge=1, le=10_000)] | None = None


class Risk(Part):
    trade_risk: TradeRisk = TradeRisk()
    portfolio_risk: PortfolioRisk = PortfolioRisk()


class Leverage(Part):
    max_gross: Annotated[Number, Field(gt=0, le=10)] = 1
    max_net: Annotated[Number, Field(gt=0, le=10)] | None = None


class EqualWeight(Part):
    type: Literal["equal_weight"] = "equal_weight"


class FixedFraction(Part):
    type: Literal["fixed_fraction"]
    fraction: Fraction


class InverseVol(Part):
    type: Literal["inverse_vol"]


class VolTarget(Part):
    type: Literal["vol_target"]
    target_volatility_annual: Annotated[Number, Field(gt=0, le=10)]


Sizing = Annotated[EqualWeight | FixedFraction | InverseVol | VolTarget, Field(discriminator="type")]


class PortfolioConstraints(Part):
    """``max_positions`` None: as many as there are symbols."""

    max_positions: Annotated[Whole, Field(ge=1, le=10_000)] | None = None
    max_position_weight: Fraction = 1
    max_sector_weight: Fraction | None = None
    max_corr_to_portfolio: Annotated[Number, Field(ge=0, le=1)] | None = None
    leverage: Leverage = Leverage()
    sizing: Sizing = EqualWeight()


class Order(Part):
    """``default_order_type`` is another spelling of ``type``."""

    type: Literal["MKT", "LMT", "STP"] | None = None
    default_order_type: Literal["MKT", "LMT", "STP"] | None = None
    time_in_force: Literal["DAY", "GTC"] = "DAY"
    max_adv_participation: Fraction | None = None
    reject_if_spread_bps_gt: Annotated[Number, Field(ge=0)] | None = None


class FillPolicy(Part):
    use_next_bar: bool = True


class Execution(Part):
    mode: Literal["backtest", "paper", "live"] = "backtest"
    rebalance: Literal["weekly", "monthly"] | None = None
    order: Order = Order()
    fill_policy: FillPolicy = FillPolicy()


class Cost(Part):
    """Basis points of traded value, per side."""

    type: Literal["bps"] = "bps"
    value_bps: Annotated[Number, Field(ge=0, le=10_000)]


class CostModel(Part):
    fees: Cost = Cost(value_bps=1)
    spread: Cost = Cost(value_bps=2)
    slippage: Cost = Cost(value_bps=3)


class StrategySpec(Part):
    """One strategy as written. :func:`~quantrail.strategy.parse_spec` makes one and checks it all."""

    schema_version: Literal["1.0"] = "1.0"
    name: str | None = None
    family: str | None = None
    metadata: Metadata = Metadata()
    universe: Universe = Universe()
    features: dict[Key, Feature] = Field(default_factory=dict, max_length=MAX_FEATURES)
    conditions: Annotated[dict[Key, Node], Field(max_length=MAX_CONDITIONS)]
    modules: Modules
    risk: Risk = Risk()
    portfolio_constraints: PortfolioConstraints = PortfolioConstraints()
    execution: Execution = Execution()
    cost_model: CostModel = CostModel()
    logging: dict[str, Any] = Field(default_factory=dict)
