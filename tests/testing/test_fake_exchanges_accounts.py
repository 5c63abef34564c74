"""Groups, labels, templates and the like say the recorded words too, not only the structure."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from exchange_compare import words
from exchange_data import Exchange
from test_fake_exchanges import COVERED, answer

_FAMILIES = ("group", "label", "call", "proxy", "template", "business", "s3", "baileys")
_DRAWN = ("subjectTime", "creation", "descTime", "descId", "templateId")
_TAG = re.compile(r"^\d+\.\d+-\d+$")

SPOKEN = [
    exchange for exchange in COVERED if exchange.family in _FAMILIES and "json" in exchange.response
]


def _said(value: Any) -> Any:
    """The words without what is drawn anew on every run: times, and ids without a known form."""
    if isinstance(value, dict):
        return {
            key: _said(item)
            for key, item in value.items()
            if key not in _DRAWN and not (key == "id" and str(item).isdigit())
        }
    if isinstance(value, list):
        return [_said(item) for item in value]
    return "<tag>" if isinstance(value, str) and _TAG.match(value) else value


@pytest.mark.parametrize("exchange", SPOKEN, ids=lambda e: e.id)
def test_says_what_the_recording_says(exchange: Exchange) -> None:
    _, _, body = answer(exchange)
    got, recorded = _said(words(json.loads(body))), _said(words(exchange.response["json"]))
    match exchange.operation:
        case "group.revoke_invite_code" if exchange.response["status"] == 201:
            assert re.fullmatch("[A-Za-z0-9]{22}", got.pop("inviteCode"))
            recorded.pop("inviteCode")
        case "baileys.baileys_get_auth_state" if "me" in recorded:
            assert got["me"].pop("name") == "Fake Owner"
            recorded["me"].pop("name")
        case _:
            pass
    assert got == recorded
