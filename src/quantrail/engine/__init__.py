"""Indicators, fill rules, engine A (screen, batches) and engine B (verify, bar by bar)."""
