"""Doors for people and machines; translation only."""
