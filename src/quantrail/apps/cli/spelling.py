"""Remedies in the words of the command line: the rooms below name their own arguments."""

from __future__ import annotations

import re

# Arguments of the Python doors that have an option of the same name.
_ARGUMENT = re.compile(r"\b(symbol|tz|decimal|interval|date_format)=('[^']*'|…)")
_PHRASES = {
    "with a column mapping": "with --column THEIRS=ours",
    "name the date format": "name the date format with --date-format",
    "leave the symbol out": "leave --symbol out",
    "state the symbol if": "state --symbol if",
    "leave the interval out": "leave --interval out",
}


def typed(message: str) -> str:
    """``message`` with the options to type where it names arguments of Python."""
    for ours, theirs in _PHRASES.items():
        message = message.replace(ours, theirs)
    return _ARGUMENT.sub(lambda m: f"--{m[1].replace('_', '-')} {m[2].replace('…', m[1].upper())}", message)
