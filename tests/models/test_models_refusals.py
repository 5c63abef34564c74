"""The reason of a refusal, read from whatever tells a status."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.models.refusals import CODES, Refusal, likely_refusal, refusal_of, told_code

# As Baileys hands it to the server (`handleBadAck`, src/Socket/messages-recv.ts).
STUB = ["463", "Your account has been restricted"]
# As all recorded servers pass it on (`facts/versions/baileys.md`, status ERROR): without the code.
BARE = {
    "keyId": "3EB0", "remoteJid": "5511987654321@s.whatsapp.net", "fromMe": True,
    "status": "ERROR", "messageId": "cm1",
}  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        {"messageStubParameters": STUB},
        {"messageStubParameters": ["463"]},
        {"messageStubParameters": [463]},
        {"update": {"status": 0, "messageStubParameters": STUB}},
        {"message": {"messageStubParameters": STUB}},
        {"code": 463},
        {"errorCode": " 463 "},
        {"error": "463"},
        {"error": {"code": "463", "title": "Restricted"}},
        {"errors": [{"code": 463, "title": "Restricted"}]},
    ],
)
def test_a_code_is_read_wherever_it_is_told(told: dict[str, Any]) -> None:
    refusal = refusal_of("ERROR", {**BARE, **told})
    assert refusal is not None
    assert (refusal.code, refusal.reason_is_told) == (463, True)
    assert "time-lock" in refusal.meaning
    assert "strangers" in refusal.advice


NO_CODES: list[Any] = [
    {},
    {"messageStubParameters": None},
    {"messageStubParameters": ["Message absent from node", {}, True, "12", "-463", "46.3"]},
    {"messageStubParameters": "restricted"},
    {"message": {"code": 463}},  # the content of a message has fields of any name
    {"code": 10**5_000},
    {"code": "٤٦٣"},
    {"error": True},
]


@pytest.mark.parametrize("told", NO_CODES)
def test_what_is_no_code_is_not_taken_for_one(told: Any) -> None:
    refusal = refusal_of("ERROR", {**BARE, **told})
    assert refusal is not None
    assert (refusal.code, refusal.reason_is_told) == (None, False)
    assert "LOG_BAILEYS" in refusal.advice


def test_a_code_without_a_public_meaning_is_told_as_such() -> None:
    refusal = refusal_of("ERROR", {**BARE, "code": 473})
    assert refusal is not None
    assert (refusal.code, refusal.reason_is_told) == (473, True)
    assert "no meaning is public" in refusal.meaning


def test_every_known_code_has_meaning_and_advice() -> None:
    for code, (meaning, advice) in CODES.items():
        refusal = refusal_of("ERROR", {"code": code})
        assert refusal == Refusal(code, meaning, advice, reason_is_told=True)
        assert meaning[0].islower()
        assert not meaning.endswith(".")
        assert advice.endswith(".")


@pytest.mark.parametrize("status", ["SERVER_ACK", "READ", "DELETED", None, 0, {}, ""])
def test_other_statuses_are_no_refusal(status: object) -> None:
    assert refusal_of(status, {"messageStubParameters": STUB}) is None


def test_meta_keeps_its_reason_to_itself() -> None:
    refusal = refusal_of("FAILED", {"status": "FAILED"})
    assert refusal is not None
    assert "Meta" in refusal.meaning
    told = refusal_of("FAILED", {"errors": [{"code": 131026}]})
    assert told is not None
    assert told.code == 131026


def test_a_guess_says_that_it_is_one() -> None:
    one, many = likely_refusal(1), likely_refusal(4)
    assert (one.code, one.reason_is_told) == (None, False)
    assert one.meaning.startswith("probably the reach-out time-lock (463)")
    assert "4 new chats" in many.meaning
    assert "new chats" not in one.meaning
    assert dataclasses.replace(many, meaning=one.meaning) == one


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("463"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["messageStubParameters", "code", "error", "errors", "update", "message"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(status=JSON, raw=JSON)
def test_nothing_raises_whatever_is_told(status: Any, raw: Any) -> None:
    refusal_of(status, raw)
    code = told_code(raw)
    assert code is None or code in range(100, 1_000_000)
