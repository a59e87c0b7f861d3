"""Identifiers, enums, records and ports: the words every other room speaks."""
