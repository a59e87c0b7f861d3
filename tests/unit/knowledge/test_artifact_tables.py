"""Tables among the artifacts: every column comes back as it was, and curves take little room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from quantrail.knowledge import ArtifactFolder

RNG = np.random.default_rng(5)
CURVES = [np.cumprod(1 + RNG.normal(0, 0.01, 500)).astype(np.float32) for _ in range(50)]
TABLES: list[dict[str, Any]] = [
    {"name": ["a", "b"], "count": [1, 2], "value": [1.5, None], "none": [None, None]},
    {"curve": [[1.0, 2.5], [], None], "members": [[1], [2, 3], []], "flag": [True, False, None]},
    {"empty": []},
    {},
]


@pytest.mark.parametrize("columns", TABLES)
def test_a_table_comes_back_as_it_was(tmp_path: Path, columns: dict[str, Any]) -> None:
    folder = ArtifactFolder(tmp_path)
    folder.write_parquet("runs/1/table.parquet", columns)
    assert folder.read_parquet("runs/1/table.parquet").to_pydict() == columns


def test_curves_are_split_by_byte_and_keep_every_bit(tmp_path: Path) -> None:
    folder = ArtifactFolder(tmp_path)
    made = folder.write_parquet("curves.parquet", {"curve": CURVES, "name": ["x"] * 50})
    table = folder.read_parquet("curves.parquet")
    assert all((np.float32(a) == b).all() for a, b in zip(table["curve"].to_pylist(), CURVES, strict=True))
    plain = tmp_path / "plain.parquet"
    pq.write_table(table, plain, compression="zstd")
    assert made.size_bytes < 0.6 * plain.stat().st_size
