"""Engine B: one strategy bar by bar, with orders, fills, an account and logs that can be asked why."""
