"""The HTML report of a run: one self-contained page, no network needed to read it."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

import jinja2

from quantrail import __version__
from quantrail.domain.ids import RunId
from quantrail.domain.ledger import Report
from quantrail.errors import InvalidInput, NotFound
from quantrail.services.charts import curve_chart, figures_script, funnel_chart
from quantrail.services.constraint_view import describe_params
from quantrail.services.description import described
from quantrail.services.loop.state import Services
from quantrail.services.run_view import RunView, is_search, run_view

CHARTED = 5


def write_run_report(services: Services, run_id: RunId) -> str:
    """Write the page and record it; returns its path below the artifacts folder.

    The path carries the page's hash, so an older report is never replaced. NotFound for an unknown
    run, InvalidInput for one that is no search: a single backtest.
    """
    view = run_view(services.store, run_id)
    if not is_search(view.run):
        raise InvalidInput(
            f"run {run_id} is a single backtest, not a search; `quantrail run show {run_id}` tells what it "
            f"found, `quantrail backtest SPEC --plot FILE` draws it"
        )
    page = render(services, view).encode("utf-8")
    path = f"runs/{run_id}/reports/run-{hashlib.sha256(page).hexdigest()[:12]}.html"
    written = services.artifacts.write_bytes(path, page)
    with services.store.unit() as unit:
        unit.save_files([written])
        unit.save_reports([Report(run_id=run_id, tearsheet_html_path=path)])
        unit.commit()
    return path


def render(services: Services, view: RunView) -> str:
    """The page as text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"percent": _percent, "number": _number, "params": describe_params}
    source = (files("quantrail.services") / "run_report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        version=__version__,
        view=view,
        frozen=view.run.config.get("frozen", {}),
        config=view.run.config.get("config", {}),
        script=figures_script(),
        charts=_charts(services, view),
        funnel=funnel_chart(view.summaries),
    )


def _charts(services: Services, view: RunView) -> list[dict[str, Any]]:
    made = []
    for standing in view.standings[:CHARTED]:
        row = services.store.get_backtest(standing.backtest_id)
        if row.artifacts_dir is None:
            continue
        try:
            curves = services.artifacts.read_parquet(f"{row.artifacts_dir.path}/curves.parquet").to_pydict()
        except NotFound:
            # A screened strategy has its curve in the batch file only; its numbers are shown all the same.
            continue
        split = row.calc_contract.validation_start
        made.append(
            {
                "standing": standing,
                "explained": described(services.store, row),
                "chart": curve_chart(curves, split, standing.name, standing.strategy_id),
                "failures": row.failures,
                "slices": _slices(services, row.artifacts_dir.path),
            }
        )
    return made


def _slices(services: Services, folder: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = services.artifacts.read_parquet(f"{folder}/slices.parquet").to_pylist()
    return rows


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
