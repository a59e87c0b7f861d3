"""Reading prices, volumes and actions out of text without guessing what a comma means."""

from __future__ import annotations

import math

import polars as pl

from quantrail.domain.enums import Severity
from quantrail.marketdata.canonical import VALUE_COLUMNS
from quantrail.marketdata.intake.columns import PRICES
from quantrail.marketdata.records import Finding

# How files write that no dividend or split is stated.
_NOTHING = ("", "-", "na", "n/a", "nan", "none", "null")
_TEXT = pl.String
_NEEDED = (*PRICES, "volume")
# 1,234 and 1,234,567.8; a zero in front would be that of a fraction.
_GROUPED = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$"
_SURELY_GROUPED = r"^[+-]?[1-9]\d{0,2}(,\d{3}){2,}(\.\d+)?$|^[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+$"
_POINTED_GROUPS = r"^[+-]?\d{1,3}(\.\d{3})+([^.\d]\d+)?$"
_POINT = r"^[+-]?\d+\.\d+$"


def with_numbers(raw: pl.DataFrame, decimal: str) -> tuple[pl.DataFrame, list[Finding]]:
    """``row``, ``line`` and the seven values as doubles, and what there is to say.

    Values are null or infinite where a cell holds no number.

    ``decimal``: sign between units and tenths in text. Commas between groups of three digits are read where
    they can be nothing else: see ``_separated``.
    """
    found = _typed(raw, decimal)
    notes = []
    if decimal == "." and any(found[name].null_count() for name in _NEEDED if name in raw.columns):
        # Looked for only where a cell could not be read: in most files there is none.
        grouped = _separated(raw)
        if grouped:
            plain = raw.with_columns(_ungrouped(name) for name in grouped)
            found = _typed(plain, decimal)
            text = f"commas in {', '.join(grouped)} are read as thousands separators"
            notes.append(Finding("thousands_separator", Severity.INFO, text))
    if "volume" not in raw.columns:
        notes.append(Finding("no_volume", Severity.WARN, "the source has no volume; stored as 0"))
    return found, notes


def _typed(raw: pl.DataFrame, decimal: str) -> pl.DataFrame:
    return raw.select("row", "line", *(_number(raw, name, decimal) for name in VALUE_COLUMNS))


def _number(raw: pl.DataFrame, name: str, decimal: str) -> pl.Expr:
    if name not in raw.columns:
        return pl.lit(0.0 if name == "volume" else None, dtype=pl.Float64).alias(name)
    column, text = pl.col(name), raw.schema[name] == _TEXT
    if text:
        column = column.str.strip_chars()
    if text and decimal != ".":
        # A point that does not part groups of three is a decimal point after all: 10.5 is not 105.
        fits = column.str.contains(_POINTED_GROUPS) | ~column.str.contains(".", literal=True)
        column = pl.when(fits).then(column).otherwise(pl.lit("?"))
        column = column.str.replace_all(".", "", literal=True).str.replace(decimal, ".", literal=True)
    value = column.cast(pl.Float64, strict=False)
    if name in ("dividend", "split"):
        value = value.fill_nan(None)  # how frames say that nothing is stated
        if text:
            unread = value.is_null() & ~column.str.to_lowercase().is_in(_NOTHING)
            value = pl.when(unread).then(math.inf).otherwise(value)  # refused later, not passed over
    # yfinance writes 0 on the days without a split.
    return (pl.when(value == 0).then(1.0).otherwise(value) if name == "split" else value).alias(name)


def _separated(raw: pl.DataFrame) -> list[str]:
    """The columns in which commas part thousands; none where they could be decimal commas instead.

    Each cell with a comma must be in groups of three. 1,234 alone may still be a price with a decimal
    comma; it is not where some cell has a decimal point, or two groups, or where only volumes have commas.
    """
    cells = {name: raw[name].str.strip_chars() for name in _NEEDED if raw.schema.get(name) == _TEXT}
    commas = {name: s.filter(s.str.contains(",", literal=True).fill_null(False)) for name, s in cells.items()}
    commas = {name: s for name, s in commas.items() if len(s)}
    if not commas or not all(s.str.contains(_GROUPED).all() for s in commas.values()):
        return []
    sure = any(s.str.contains(_SURELY_GROUPED).any() for s in commas.values())
    pointed = any(s.str.contains(_POINT).any() for s in cells.values())
    return list(commas) if sure or pointed or list(commas) == ["volume"] else []


def _ungrouped(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all(",", "", literal=True)
