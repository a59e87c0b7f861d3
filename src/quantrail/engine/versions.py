"""Engine versions: part of every backtest's identity. Any change of a fill rule or formula raises them."""

ENGINE_A_VERSION = "A1"
ENGINE_B_VERSION = "B2"
