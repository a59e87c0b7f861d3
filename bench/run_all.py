"""Run every benchmark and write their figures into bench/RESULTS.md, which the README shows."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# At a few thousand rows an import is all fixed costs; its figures are those of its full size.
QUICK = {"market": ["--sizes", "500"]}
ROOMS = ("spec", "engine", "market", "market_quality", "store", "loop")


def figures_of(room: str, quick: bool) -> dict[str, Any]:
    """One bench script's figures: the JSON object on its last line."""
    command = [
        sys.executable,
        str(HERE / f"{room}.py"),
        "--json",
        *(QUICK.get(room, ["--quick"]) if quick else []),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    *shown, last = done.stdout.strip().splitlines()
    print(f"== {room}", *shown, sep="\n")
    found: dict[str, Any] = json.loads(last)
    return found


def page(results: dict[str, dict[str, Any]], quick: bool) -> str:
    """The table, one row per figure."""
    how = "make bench ARGS=--quick" if quick else "make bench"
    lines = [
        "# Benchmarks",
        "",
        f"From `{how}` on {platform.machine()}, Python {platform.python_version()}.",
        "Each row was measured beside its",
        "yardstick in one run; `ratio` is ours over the yardstick's.",
        "",
        "| room | figure | ours | yardstick | ratio | unit | size |",
        "|---|---|---:|---:|---:|---|---:|",
    ]
    for room, figures in results.items():
        for name, f in figures.items():
            cells = (room, name, f["ours"], f["yardstick"], f["ratio"], f["unit"], f["size"])
            lines.append(f"| {' | '.join(shown(c) for c in cells)} |")
    return "\n".join(lines) + "\n"


def shown(value: Any) -> str:
    """Four significant digits are more than the machine's noise; a dash where nothing was compared."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes; a few minutes in all")
    parser.add_argument("--only", nargs="+", choices=ROOMS, help="these rooms; prints, writes nothing")
    options = parser.parse_args()
    rooms = [room for room in options.only or ROOMS if (HERE / f"{room}.py").exists()]
    results = {room: figures_of(room, options.quick) for room in rooms}
    if options.only:
        print(page(results, options.quick))
    else:
        (HERE / "RESULTS.md").write_text(page(results, options.quick), encoding="utf-8")


if __name__ == "__main__":
    main()
