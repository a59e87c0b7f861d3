"""What a strategy wants at every close: features, conditions, regime, selection, for whole batches."""
