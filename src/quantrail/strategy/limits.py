"""How large a document, a condition and a feature graph may be."""

from __future__ import annotations

MAX_TEXT_BYTES = 250_000
MAX_YAML_BYTES = 100_000
MAX_DOCUMENT_DEPTH = 24
MAX_DOCUMENT_VALUES = 20_000
MAX_STRING_LENGTH = 20_000
MAX_NUMBER = 2**53 - 1

MAX_AST_DEPTH = 4  # a lone comparison has depth 1
MAX_COMPARISONS = 8  # per condition; BETWEEN counts as two
MAX_CHILDREN = 8
MAX_FEATURES = 64
MAX_CONDITIONS = 64
MAX_FEATURE_DEPTH = 6  # feature of a feature of ...
MAX_LAG = 1000

# fullmatch patterns; ASCII only, so that look-alike letters cannot make two names of one.
FEATURE_KEY = r"[a-z][a-z0-9_]{0,63}"
SERIES = r"[A-Za-z0-9](?:[A-Za-z0-9 ._\-/:%&+^]{0,62}[A-Za-z0-9%+])?"
SYMBOL = r"[A-Za-z0-9^][A-Za-z0-9._\-:/=^]{0,31}"
