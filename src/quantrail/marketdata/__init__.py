"""Bars: immutable Parquet snapshots, data versions, the quality gate."""
