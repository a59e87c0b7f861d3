"""Engines: what a strategy would have done with given bars.

Engine A screens batches in compiled loops under the light contract: next-open fills, fractional
quantities, costs in basis points per side. Engine B verifies one strategy bar by bar with orders, fills
and logs. Both read the same canonical spec and bars and return the same records.
"""

from quantrail.engine.compare import EngineComparison, compare
from quantrail.engine.corporate_actions import CorporateActions
from quantrail.engine.event_driven.story import ClauseState, DayStory, TradeStory, explain_day, explain_trade
from quantrail.engine.event_driven.verify import VerifyResult, verify
from quantrail.engine.event_driven.weights import WeightsResult, run_weights, signals_hash
from quantrail.engine.market_rules import MarketRules
from quantrail.engine.models import (
    ACTIONS,
    COST_MODELS,
    EXECUTION_MODELS,
    PORTFOLIO_MODELS,
    build_models,
    check_models,
)
from quantrail.engine.screening.screen import screen
from quantrail.engine.screening.screen_batch import BatchTrades, ScreenBatch
from quantrail.engine.screening.warm import warm_up
from quantrail.engine.signals.batch import SignalBatch, SignalMaker, prepare
from quantrail.engine.signals.behaviour import fingerprints
from quantrail.engine.versions import ENGINE_A_VERSION, ENGINE_B_VERSION

__all__ = [
    "ACTIONS",
    "COST_MODELS",
    "ENGINE_A_VERSION",
    "ENGINE_B_VERSION",
    "EXECUTION_MODELS",
    "PORTFOLIO_MODELS",
    "BatchTrades",
    "ClauseState",
    "CorporateActions",
    "DayStory",
    "EngineComparison",
    "MarketRules",
    "ScreenBatch",
    "SignalBatch",
    "SignalMaker",
    "TradeStory",
    "VerifyResult",
    "WeightsResult",
    "build_models",
    "check_models",
    "compare",
    "explain_day",
    "explain_trade",
    "fingerprints",
    "prepare",
    "run_weights",
    "screen",
    "signals_hash",
    "verify",
    "warm_up",
]
