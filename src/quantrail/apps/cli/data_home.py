"""What the commands on market data share: opening the store, naming a version, showing findings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quantrail.apps.cli.output import out
from quantrail.apps.cli.targets import writable_folder
from quantrail.config import load_settings
from quantrail.domain.words import counted
from quantrail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantrail.domain.ids import DataVersion
    from quantrail.marketdata import Finding, MarketStore, Snapshot

VersionOption = Annotated[
    str | None, typer.Option("--version", help="A data version or a unique prefix [default: the current one]")
]


def open_market(home: Path | None) -> MarketStore:
    """The market store of a home, without the rest of it."""
    from quantrail.marketdata import MarketStore

    return MarketStore(load_settings(home).market, lambda: datetime.now(UTC))


def market_to_write(home: Path | None) -> MarketStore:
    """As ``open_market``; BackendError at once where the home cannot take new bars."""
    settings = load_settings(home)
    writable_folder(settings.market, f"home {settings.home}", "choose another with --home")
    return open_market(home)


def version_of(store: MarketStore, text: str | None) -> DataVersion | None:
    """The stored version that ``text`` begins. NotFound, or InvalidInput when several do."""
    if text is None:
        return None
    found = [s.version for s in store.snapshots() if s.version.startswith(text)]
    if not found:
        raise NotFound(f"no data version begins with {text!r}; `quantrail data list` shows what is stored")
    if len(found) > 1:
        raise InvalidInput(f"{text!r} begins {len(found)} data versions; give more of it")
    return found[0]


def intervals_of(
    held: Snapshot | None, symbols: Sequence[str] | None, interval: str | None
) -> dict[str, list[str] | None]:
    """The intervals to look at, daily first, each with the symbols asked for that have it; None: all."""
    if interval is not None or held is None:
        return {interval or "1d": list(symbols) if symbols else None}
    found: dict[str, list[str] | None] = {}
    for at in sorted({info.interval for info in held.symbols}, key=lambda name: (name != "1d", name)):
        names = [s for s in symbols if s in held.names(at)] if symbols else None
        if names is None or names:
            found[at] = names
    # Nobody has them: the store says so, and names what is near.
    return found or {"1d": list(symbols or ())}


def say_findings(findings: Sequence[Finding], limit: int) -> None:
    if not findings:
        out().print("no findings")
        return
    out().print(counted(len(findings), "finding"))
    for f in findings[:limit]:
        words = [str(f.date or ""), f.symbol, f.severity, f"{f.kind}: {f.detail}"]
        # Lines, not a table: a narrow terminal would squeeze the symbol away.
        out().print("  " + "  ".join(word for word in words if word), soft_wrap=True, markup=False)
    if len(findings) > limit:
        out().print(f"… and {len(findings) - limit} more; `quantrail data check` lists them")
