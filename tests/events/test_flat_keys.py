"""Keys of small identities: hashed in one step, to the same as piece by piece."""

from __future__ import annotations

import pytest

from evolution_sdk.events._dedupe import digest
from evolution_sdk.identity._told_pairs import _LONGEST, _read_jid, jid_or_none


class Piecewise(str):
    """Equal to its text, and no plain text, so that the pieces are hashed one by one."""

    __slots__ = ()


@pytest.mark.parametrize("rest", [(), ("b", True), (None, 1, 1.0, -2.5, 2**70), ("é\ud800", "")])
def test_a_flat_identity_has_the_key_of_the_long_way(rest: tuple[object, ...]) -> None:
    assert digest("a", *rest) == digest(Piecewise("a"), *rest)


def test_a_short_id_is_read_once_and_a_long_one_is_not_kept() -> None:
    _read_jid.cache_clear()
    first = jid_or_none("5511999999999@s.whatsapp.net")
    assert jid_or_none("5511999999999@s.whatsapp.net") is first
    assert jid_or_none("no id at all") is jid_or_none("no id at all") is None
    long = f"{'1' * _LONGEST}@g.us"
    assert jid_or_none(long) == jid_or_none(long)
    known = _read_jid.cache_info()
    assert (known.hits, known.misses, known.currsize) == (2, 2, 2)
