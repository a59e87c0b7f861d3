"""Pure functions on results: metrics, statistics, score, failure rules, constraint rules."""
