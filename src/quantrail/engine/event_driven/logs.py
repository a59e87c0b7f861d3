"""Column logs: rows appended one by one, read back as arrays or written as Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]


@dataclass(slots=True)
class ColumnLog:
    """Rows with named fields, kept as they come; ``columns`` turns them into arrays once."""

    names: Sequence[str]
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, *row: Any) -> None:
        self.rows.append(row)

    def columns(self) -> dict[str, Column]:
        """Field -> array, in row order; empty arrays when nothing was logged."""
        if not self.rows:
            return {name: np.empty(0) for name in self.names}
        return {
            name: np.array(values)
            for name, values in zip(self.names, zip(*self.rows, strict=True), strict=True)
        }


def arrow_table(columns: Mapping[str, Column]) -> Any:
    """Columns as a pyarrow table, for Parquet."""
    import pyarrow as pa

    return pa.table({name: pa.array(values) for name, values in columns.items()})
