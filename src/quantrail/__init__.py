"""quantrail: a research system for systematic trading strategies that keeps a trail."""

__version__ = "0.1.0"
