"""The data of a run: which sessions are train, validation and holdout, and reading their bars.

Apart from the rest of the configuration, so that who only reads bars again need not load the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, model_validator

from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.services.context import Services


class Section(BaseModel):
    """A part of a run's configuration: frozen, and no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Span(Section):
    """Session dates, both ends included."""

    start: date
    end: date

    @model_validator(mode="after")
    def _ends_after_start(self) -> Span:
        if self.end <= self.start:
            raise ValueError(f"ends on {self.end}, which is not after its start {self.start}")
        return self


class HoldoutStart(Section):
    start: date


class Splits(Section):
    """Train, validation and holdout by date; the loop never reads a bar from ``holdout.start`` on."""

    train: Span
    validation: Span
    holdout: HoldoutStart | None = None

    @property
    def holdout_start(self) -> date | None:
        return self.holdout.start if self.holdout else None

    @model_validator(mode="after")
    def _in_order(self) -> Splits:
        if self.validation.start <= self.train.end:
            raise ValueError(
                f"validation starts on {self.validation.start}, inside train (ends {self.train.end})"
            )
        if self.holdout is not None and self.holdout.start <= self.validation.end:
            raise ValueError(
                f"holdout starts on {self.holdout.start}, inside validation (ends {self.validation.end})"
            )
        return self


class DataSection(Section):
    """``version`` None: the home's current snapshot; ``symbols`` None: all of it."""

    version: str | None = None
    symbols: tuple[str, ...] | None = Field(default=None, min_length=1)
    splits: Splits


def bars_until(
    services: Services,
    splits: Splits,
    benchmark: str | None,
    snapshot: DataVersion,
    symbols: Sequence[str],
    end: date,
) -> Bars:
    """What a run reads from the start of train to ``end``, with all warm-up there is."""
    wanted = sorted({*symbols, benchmark} if benchmark else set(symbols))
    before = splits.holdout_start
    first = services.market.bars(wanted, version=snapshot, before=before).sessions[0].item()
    period = Period(splits.train.start, end)
    return services.market.bars(wanted, period, warmup_start=first, before=before, version=snapshot)


def period_of(bars: Bars, span: Span) -> Period:
    """Sessions, not calendar days: a period that starts on a holiday is the same period."""
    sessions = bars.sessions[bars.span(Period(span.start, span.end))]
    return Period(sessions[0].item(), sessions[-1].item())
