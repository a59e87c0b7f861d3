"""The demo: the main job on the bundled bars, in a home of its own."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

from quantrail.domain.ids import DataVersion
from quantrail.domain.ports import KnowledgeStore
from quantrail.errors import Conflict
from quantrail.services.run_config import RunConfig, parse_run_config

DEMO = "demo"


def demo_document() -> dict[str, Any]:
    """The demo's configuration as shipped, without its symbols."""
    text = (files("quantrail.services") / "demo_config.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def demo_config(
    store: KnowledgeStore,
    version: DataVersion,
    symbols: tuple[str, ...],
    seed: int | None = None,
    workers: int | None = None,
) -> RunConfig:
    """The demo's configuration for this home.

    Without a ``seed`` each further demo in a home takes the next one, so that it explores new ground.
    Raises Conflict when the home holds runs that are not the demo's.
    """
    runs = store.list_runs(limit=10_000)
    others = [run for run in runs if run.config.get("config", {}).get("name") != DEMO]
    if others:
        raise Conflict(
            f"this home holds {len(others)} runs that are not demo runs (such as {others[0].run_id}); "
            "give the demo a home of its own with --home"
        )
    document = demo_document()
    document["data"] |= {"version": version, "symbols": list(symbols)}
    document["seed"] = document["seed"] + len(runs) if seed is None else seed
    if workers is not None:
        document["workers"] = workers
    return parse_run_config(document)
