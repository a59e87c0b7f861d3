"""Use cases: run the loop, reproduce, report. They own transactions."""
