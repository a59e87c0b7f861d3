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
    longs = Counter(spec[at:] for spec in specs if (at := spec.rfind(_LONG)) >= 0)
    repeated = {end for end, count in longs.items() if count > 1}
    repeated |= keys.known_texts([end for end in longs if end not in repeated])
    text = Told(keys.text)
    return [_cut(text, spec, repeated) for spec in specs]


def _cut(text: Told[int], spec: str, repeated: set[str]) -> Cut:
    start = max(spec.find(_BEFORE), 0)
    end = spec.rfind(_LONG)
    if end < 0 or spec[end:] not in repeated:
        end = spec.rfind(_SHORT)
    if end < start:
        end = len(spec)
    start = start if start >= _LEAST else 0
    end = end if len(spec) - end >= _LEAST else len(spec)
    head = text[spec[:start]] if start else None
    tail = text[spec[end:]] if end < len(spec) else None
    return spec[start:end], head, tail
