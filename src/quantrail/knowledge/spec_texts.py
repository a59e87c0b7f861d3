"""Specs without what they share: the beginning and the end of most are the same words.

A canonical spec begins with costs and execution and ends with its universe; a run's candidates differ in
between. Beginning and end go into ``texts``, once; ``WHOLE_SPEC`` puts the three back together in plain
SQL, byte for byte, wherever they were cut. So where to cut is only a matter of size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from quantrail.knowledge.keys import Keys, Told

_BEFORE = ',"features":'  # the shared beginning ends here
_LONG, _SHORT = ',"nan_policy":', ',"schema_version":'  # the shared end starts at one of these
_LEAST = 100  # characters that are worth a row of their own

Cut = tuple[str, int | None, int | None]  # what is the spec's own, keys of beginning and end


def cut_specs(keys: Keys, specs: Sequence[str]) -> list[Cut]:
    """Each spec as it is stored. The longer end (sizing, risk, universe) is taken where it repeats."""
    starts, longs = _starts(specs), _ends(specs, _LONG)
    counts = Counter(longs)
    del counts[""]  # no such end
    repeated = {end for end, count in counts.items() if count > 1}
    repeated |= keys.known_texts([end for end in counts if end not in repeated])
    ends = longs
    if not repeated.issuperset(longs):
        shorts = _ends(specs, _SHORT)
        ends = [long if long in repeated else short for long, short in zip(longs, shorts, strict=True)]
    text = Told(keys.text)
    return [_cut(text, *parts) for parts in zip(specs, starts, ends, strict=True)]


def _starts(specs: Sequence[str]) -> list[str]:
    """What each spec begins with; the same object where it is that of the spec before."""
    found: list[str] = []
    last = ""
    for spec in specs:
        if not (last and spec.startswith(last) and spec.startswith(_BEFORE, len(last))):
            last = spec[: max(spec.find(_BEFORE), 0)]
        found.append(last)
    return found


def _ends(specs: Sequence[str], mark: str) -> list[str]:
    """What each spec ends with, from the last ``mark`` on; likewise."""
    found: list[str] = []
    last = ""
    for spec in specs:
        if not (last and spec.endswith(last)):
            at = spec.rfind(mark)
            last = spec[at:] if at >= 0 else ""
        found.append(last)
    return found


def _cut(text: Told[int], spec: str, start: str, end: str) -> Cut:
    if len(start) + len(end) > len(spec):
        end = ""
    start = start if len(start) >= _LEAST else ""
    end = end if len(end) >= _LEAST else ""
    head = text[start] if start else None
    tail = text[end] if end else None
    return spec[len(start) : len(spec) - len(end)], head, tail
