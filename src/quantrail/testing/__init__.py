"""Contract suites and builders for authors of adapters."""
