"""One backtest as a page: figures, equity and drawdown, returns by month, trades on candles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from quantrail.domain.answers import BacktestRow
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId
from quantrail.domain.market import BAR_COLUMNS
from quantrail.errors import Unsupported
from quantrail.services.charts import curve_chart, figures_script
from quantrail.services.description import described, models_text
from quantrail.services.loop.state import Services
from quantrail.services.rerun import stored_bars, stored_period
from quantrail.services.trade_charts import candle_chart, month_chart, most_traded

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#222}
h1{font-size:1.4rem;margin-bottom:.2rem} h2{font-size:1.1rem;margin:2rem 0 .2rem}
.muted{color:#666} .figures{display:flex;flex-wrap:wrap;gap:.4rem 2.2rem;margin:1rem 0}
.figures div{min-width:6rem} .figures b{display:block;font-size:1.25rem}
"""

_FIGURES = (
    ("total return", "return_total_net", "{:.1%}"),
    ("CAGR", "cagr_net", "{:.1%}"),
    ("volatility", "volatility_annual_net", "{:.1%}"),
    ("Sharpe", "sharpe_net", "{:.2f}"),
    ("max drawdown", "max_drawdown_net", "{:.1%}"),
    ("closed trades", "closed_trades", "{:.0f}"),
    ("hit rate", "hit_rate_trades", "{:.0%}"),
    ("costs", "costs_total", "{:,.0f}"),
)


def backtest_page(services: Services, backtest_id: BacktestId) -> str:
    """A self-contained HTML page of a stored engine B backtest; no network is needed to read it.

    Unsupported for engine A, which keeps no curve of a single strategy; NotFound when its files are gone.
    """
    row = services.store.get_backtest(backtest_id)
    if row.key.engine_mode is not EngineMode.B or row.artifacts_dir is None:
        raise Unsupported("a page needs engine B's result; run the backtest with engine b or both")
    folder = row.artifacts_dir.path
    curves = services.artifacts.read_parquet(f"{folder}/curves.parquet").to_pydict()
    trades = services.artifacts.read_parquet(f"{folder}/trades.parquet").to_pydict()
    name = services.store.get_strategy(row.key.strategy_id).strategy.name or row.key.strategy_id[:12]
    sessions = np.array(curves["session"], dtype="datetime64[D]")
    parts = [
        _head(services, row, name),
        _section("Equity and drawdown", curve_chart(curves, row.calc_contract.validation_start, name)),
        _section("Net return by month, percent", month_chart(sessions, np.array(curves["equity_b"]))),
        _candles(services, row, trades),
    ]
    title = escape(name)
    head = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    )
    return f"{head}{figures_script()}<body>{Markup('').join(parts)}</body></html>"


def _head(services: Services, row: BacktestRow, name: str) -> Markup:
    values = row.metrics.values if row.metrics is not None else {}
    figures = Markup("").join(
        Markup("<div><span class=muted>{}</span><b>{}</b></div>").format(label, _text(values.get(key), form))
        for label, key, form in _FIGURES
    )
    return Markup(
        "<h1>{}</h1><p>{}</p><p class=muted>Backtest {}, engine B, {} to {}, net of costs, {}</p>"
        '<div class="figures">{}</div>'
    ).format(
        name,
        described(services.store, row),
        row.backtest_id,
        row.key.period_start,
        row.key.period_end,
        models_text(row.model_versions),
        figures,
    )


def _candles(services: Services, row: BacktestRow, trades: dict[str, Any]) -> Markup:
    symbols = most_traded(trades)
    if not symbols:
        return _section("Trades", Markup("<p>It never traded.</p>"))
    bars = stored_bars(services, row)
    span = bars.span(stored_period(row))
    prices = {name: getattr(bars, name)[:, span] for name in BAR_COLUMNS}
    cut = replace(bars, sessions=bars.sessions[span], **prices)
    total = len(set(trades["symbol"]))
    note = f"The {len(symbols)} most traded of {total} symbols." if total > len(symbols) else ""
    chart = Markup("<p class=muted>{} Choose one at the left; drag below to zoom.</p>{}").format(
        note, candle_chart(cut, trades, symbols)
    )
    return _section("Trades on candles", chart)


def _section(title: str, content: Markup) -> Markup:
    return Markup("<h2>{}</h2>{}").format(title, content)


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
