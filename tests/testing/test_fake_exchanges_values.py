"""Integrations say the recorded words too, not only the recorded structure."""

from __future__ import annotations

import json
import re

import pytest
from exchange_compare import words
from exchange_data import Exchange
from exchange_integrations import FAMILIES
from test_fake_exchanges import COVERED, answer

SPOKEN = [
    exchange for exchange in COVERED if exchange.family in FAMILIES and "json" in exchange.response
]


def _without_typebot_numbers(text: str) -> str:
    return re.sub(r'"\d+-tb\w+"', '"<session>"', text)


@pytest.mark.parametrize("exchange", SPOKEN, ids=lambda e: e.id)
def test_says_what_the_recording_says(exchange: Exchange) -> None:
    _, _, body = answer(exchange)
    got, recorded = (
        json.loads(_without_typebot_numbers(text))
        for text in (body.decode(), json.dumps(exchange.response["json"]))
    )
    assert words(got) == words(recorded)
