"""Features in words."""

from __future__ import annotations

from collections.abc import Mapping

from quantrail.strategy.normal import NormalFeature
from quantrail.strategy.number import number_text

# {x} and {y}: the inputs in words; the rest are parameters.
_PHRASES = {
    "sma": "the {period}-bar mean of {x}",
    "ema": "the {period}-bar exponential mean of {x}",
    "wma": "the {period}-bar weighted mean of {x}",
    "rsi": "the {period}-bar RSI of {x}",
    "stoch_k": "stochastic %K({k_period}, {k_smooth})",
    "stoch_d": "stochastic %D({k_period}, {k_smooth}, {d_period})",
    "macd": "the MACD line({fast_period}, {slow_period}) of {x}",
    "macd_signal": "the MACD signal line({fast_period}, {slow_period}, {signal_period}) of {x}",
    "bbands_upper": "the upper Bollinger band({period}, {num_std}) of {x}",
    "bbands_middle": "the middle Bollinger band({period}) of {x}",
    "bbands_lower": "the lower Bollinger band({period}, {num_std}) of {x}",
    "atr": "the {period}-bar average true range",
    "atr_pct": "the {period}-bar average true range as a share of the close",
    "adx": "the {period}-bar ADX",
    "di_plus": "the {period}-bar +DI",
    "di_minus": "the {period}-bar -DI",
    "roc": "the {period}-bar rate of change of {x} in percent",
    "momentum": "the {period}-bar change of {x}",
    "zscore": "the {period}-bar z-score of {x}",
    "donchian_high": "the highest high of the {period} bars before",
    "donchian_low": "the lowest low of the {period} bars before",
    "obv": "the on-balance volume",
    "volume_sma": "the {period}-bar mean volume",
    "volatility": "the {period}-bar volatility of {x}",
    "rs_percentile": "the percentile rank of the {period}-bar change of {x}",
    "lag": "{x} {bars} bar(s) ago",
    "ratio": "({x} / {y})",
    "diff": "({x} - {y})",
    "econ": "the newest {series} known by then",
    "news_sentiment": "the mean news sentiment of the last {days} days",
}


def in_words(name: str, features: Mapping[str, NormalFeature]) -> str:
    """A feature of a canonical form in words; a column or variable as it is called."""
    feature = features.get(name)
    if feature is None:
        return {"close": "the close", "regime_state": "the regime"}.get(name, name)
    numbers = {
        key: value if isinstance(value, str) else number_text(value)
        for key, value in feature["params"].items()
    }
    inputs = [in_words(source, features) for source in feature["inputs"]]
    sources = {"x": inputs[0], "y": inputs[-1]} if inputs else {}
    return _PHRASES[feature["type"]].format(**sources, **numbers)
