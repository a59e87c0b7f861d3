"""Engine A: a batch of prepared strategies through compiled loops, with metrics for all of them."""
