"""The monitor's words in both languages of the console.

The monitor speaks English: its words go to logs, alerts and sinks. A page shows them in the
language of its reader. A text is found by its pattern, and what it quotes is translated, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from evolution_sdk.monitor.sample import METRICS

from .phrases import LABELS, PHRASES, UNITS

__all__ = ["Words", "both", "label_of", "portuguese", "words_of"]

Words: TypeAlias = Mapping[str, str]

_HOLE: Final = re.compile(r"\\?\{(status|side|n|)\\?\}")
# A name or a sentence of any kind fits into a hole without a kind.
_KINDS: Final = {
    "": "(.*?)",
    "n": r"([-+.,\w%]+|less than 1)",
    "side": "(above|below|more|less)",
    "status": "(healthy|degraded|unhealthy|unknown|full)",
}
_MOST_CACHED: Final = 4_096
_LISTED: Final = "; "
# Sentences quote others: an alert its reasons, a reason that of a refusal, and that its advice.
_DEEPEST: Final = 8


def words_of(english: str) -> Words:
    """Return a text of the monitor in both languages.

    Args:
        english: The text.
    """
    return {"en": english, "pt": portuguese(english)}


def both(en: str, pt: str) -> Words:
    """Return a text of the console in both languages.

    Args:
        en: In English.
        pt: In Portuguese.
    """
    return {"en": en, "pt": pt}


def label_of(metric: str) -> Words:
    """Return the name of a metric in both languages.

    Args:
        metric: The metric.
    """
    known = METRICS.get(metric)
    return words_of(metric if known is None else known.label)


@lru_cache(maxsize=_MOST_CACHED)
def portuguese(english: str) -> str:
    """Translate a text of the monitor; a text that is not known stays as it is.

    Args:
        english: The text.
    """
    return _translated(english, _DEEPEST)


def _translated(english: str, depth: int) -> str:
    if depth == 0:
        return english
    exact = LABELS.get(english) or UNITS.get(english) or PHRASES.get(english)
    if exact is not None:
        return exact
    # The last sentence of several has lost its full stop.
    if (whole := PHRASES.get(f"{english}.")) is not None:
        return whole.removesuffix(".")
    for pattern, translated in _patterns():
        found = pattern.fullmatch(english)
        if found is None:
            continue
        parts = [_translated(part, depth - 1) if part else "" for part in found.groups()]
        return _filled(translated, parts)
    # Several reasons in a row, as an alert lists them.
    if _LISTED in english:
        return _LISTED.join(_translated(part, depth - 1) for part in english.split(_LISTED))
    label, colon, rest = english.partition(": ")
    return f"{_translated(label, depth - 1)}: {_translated(rest, depth - 1)}" if colon else english


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Make a pattern of each phrase with holes; those with the most words of their own first."""
    made = [
        (_HOLE.sub(_group, re.escape(english)), translated)
        for english, translated in PHRASES.items()
        if _HOLE.search(english)
    ]
    made.sort(key=lambda each: -len(each[0].replace(_KINDS[""], "")))
    return tuple((re.compile(pattern, re.DOTALL), translated) for pattern, translated in made)


def _group(hole: re.Match[str]) -> str:
    return _KINDS[hole[1]]


def _filled(translated: str, parts: list[str]) -> str:
    left = iter(parts)
    return _HOLE.sub(lambda _: next(left, ""), translated)
