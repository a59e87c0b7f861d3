"""The tables beside the bars: what a row is, what makes it the same row, and when it could be known."""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Table:
    """``key``: columns that tell rows apart. ``aliases``: other spellings, lower case letters only."""

    name: str
    schema: dict[str, pl.DataType]
    key: tuple[str, ...]
    aliases: dict[str, str]


ECONOMIC = Table(
    "economic_indicators",
    {
        "indicator_type": pl.String(),
        "date": pl.Date(),
        "value": pl.Float64(),
        "unit": pl.String(),
        "source": pl.String(),
        "available_at": UTC_TIME,
        # Days after ``date`` that availability was declared to be, null where the release is dated itself.
        "lag_days": pl.Int32(),
    },
    # A revision is another row: it became known at another time.
    ("indicator_type", "date", "available_at"),
    {
        "series": "indicator_type",
        "indicator": "indicator_type",
        "name": "indicator_type",
        "period": "date",
        "quarterend": "date",
        "released": "available_at",
        "releasedat": "available_at",
        "releasedate": "available_at",
        "realtimestart": "available_at",
    },
)

COMPANIES = Table(
    "companies",
    {
        "symbol": pl.String(),
        "name": pl.String(),
        "sector": pl.String(),
        "industry": pl.String(),
        "financials": pl.String(),  # JSON object
        "source": pl.String(),
        "available_at": UTC_TIME,
    },
    ("symbol", "available_at"),
    {"ticker": "symbol", "companyname": "name", "security": "name", "gicssector": "sector"},
)

NEWS = Table(
    "news",
    {
        "symbol": pl.String(),  # null: about the market
        "title": pl.String(),
        "content": pl.String(),
        "url": pl.String(),
        "sentiment_score": pl.Float64(),  # -1..1, null where nobody judged it
        "topics": pl.List(pl.String()),
        "source": pl.String(),
        "published_at": UTC_TIME,
        "available_at": UTC_TIME,
    },
    ("symbol", "published_at", "title", "url"),
    {
        "ticker": "symbol",
        "headline": "title",
        "text": "content",
        "summary": "content",
        "sentiment": "sentiment_score",
        "date": "published_at",
        "published": "published_at",
        "timepublished": "published_at",
    },
)

TABLES = {table.name: table for table in (ECONOMIC, COMPANIES, NEWS)}


def row_id(table: Table) -> pl.Expr:
    """The ``id`` of the data model: the key's values joined by a bar."""
    return pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in table.key], separator="|").alias(
        "id"
    )


def canonical(rows: pl.DataFrame, table: Table) -> bytes:
    """The rows as bytes that depend on nothing but their content."""
    ordered = rows.select(list(table.schema)).with_columns(
        pl.col(UTC_TIME).dt.epoch("us"), pl.col(pl.Date).cast(pl.String)
    )
    lines = sorted(json.dumps(row, separators=(",", ":"), allow_nan=False) for row in ordered.iter_rows())
    return "\n".join([table.name, *lines]).encode()
