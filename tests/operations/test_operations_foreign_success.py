"""A success that only imitates one of the server's forms proves nothing about a send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evolution_sdk import EvolutionError, Phase
from evolution_sdk.operations.routes.message import SEND_TEXT


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("told", ["Connection Closed", "rate-overlimit", "Error: x", None])
def test_error_true_is_no_answer_of_a_send(status: int, told: str | None) -> None:
    """Only connect and restart answer so: a gateway's must not have it sent again."""
    body: dict[str, Any] = {"error": True} if told is None else {"error": True, "message": told}
    with pytest.raises(EvolutionError) as caught:
        SEND_TEXT.parse(status, json.dumps(body).encode())
    assert caught.value.phase is Phase.UNKNOWN
    assert not caught.value.transient
    assert "HTTP" in str(caught.value)
    assert "not JSON" not in str(caught.value)  # it is JSON, of somebody else


def test_a_message_with_its_key_was_sent_whatever_stands_beside_it() -> None:
    key = {"id": "3EB0AAAAAAAA", "remoteJid": "1@s.whatsapp.net", "fromMe": True}
    body = json.dumps({"error": True, "key": key}).encode()
    assert SEND_TEXT.parse(201, body).id == "3EB0AAAAAAAA"
