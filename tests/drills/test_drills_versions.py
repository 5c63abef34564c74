"""Lost answers on every version: each kind, on each channel, is there once, whatever is lost."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.errors import SendOutcomeUnknownError
from evolution_sdk.media import Media
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.requests_message import (
    Button,
    CarouselCard,
    ContactCard,
    ListRow,
    ListSection,
)
from evolution_sdk.operations.operation import Operation, sent_kind
from evolution_sdk.operations.routes import OPERATIONS
from evolution_sdk.reconcile.recorded_kinds import form_of, unrecorded
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.testing import FakeClock, FakeEvolution

KEY, NUMBER = "drill-key", "5511987654321"
VERSIONS = ("2.2.3", "2.3.6", "2.3.7", "2.4-pre", "2.4.0")
CHANNELS = {
    "baileys": "WHATSAPP-BAILEYS",
    "business": "WHATSAPP-BUSINESS",
    "evolution": "EVOLUTION",
}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SUN = "https://files.example.com/sun.png"
# What happens to the sends, one after the other; "" is well. Two in a row are equal.
FAULTS = ("", "answer_then_drop", "drop", "answer_then_drop", "", "status", "answer_then_drop")
# 2.2.3 of BUSINESS fails on a file that is no URL (`facts/versions/2.2.3/message.json`).
UNABLE = {("2.2.3", "business", kind) for kind in ("send_media", "send_whatsapp_audio")}
BOOM = {"status": 500, "error": "Internal Server Error", "response": {"message": "boom"}}

Send = Callable[[Any, int, Mapping[str, Any]], Any]


def buttons(at: int) -> list[Button]:
    return [Button(display_text=f"Sim {at}", id=f"sim-{at}")]


KINDS: Mapping[str, Send] = MappingProxyType(
    {
        "send_text": lambda api, at, more: api.send_text(NUMBER, f"Aviso {at}", **more),
        "send_media": lambda api, at, more: api.send_media(
            NUMBER, PNG, caption=f"Foto {at}", file_name="a.png", **more
        ),
        "send_media url": lambda api, at, more: api.send_media(
            NUMBER, SUN, caption=f"Sol {at}", mediatype="image", **more
        ),
        # The only form of a voice note that every channel takes.
        "send_whatsapp_audio": lambda api, at, more: api.send_whatsapp_audio(
            NUMBER, Media.from_bytes(b"OggS" + bytes([at] * 40), file_name="a.ogg"), **more
        ),
        "send_location": lambda api, at, more: api.send_location(
            NUMBER, latitude=-23.5, longitude=-46.6, name=f"Loja {at}", address="Rua 1", **more
        ),
        "send_contact": lambda api, at, more: api.send_contact(
            NUMBER, [ContactCard(full_name=f"Ana {at}", phone_number="5511912345678")], **more
        ),
        "send_poll": lambda api, at, more: api.send_poll(
            NUMBER, name=f"Quando {at}?", values=["Hoje", "Amanhã"], **more
        ),
        "send_list": lambda api, at, more: api.send_list(
            NUMBER,
            title=f"Menu {at}",
            button_text="Ver",
            footer_text="f",
            description="d",
            sections=[
                ListSection(title="A", rows=[ListRow(title="x", row_id="1", description="y")])
            ],
            **more,
        ),
        "send_buttons": lambda api, at, more: api.send_buttons(
            NUMBER, title=f"Certo {at}?", buttons=buttons(at), **more
        ),
        "send_carousel": lambda api, at, more: api.send_carousel(
            NUMBER,
            body=f"Ofertas {at}",
            cards=[
                CarouselCard(body="Caneca", buttons=buttons(at)),
                CarouselCard(body="Copo", buttons=buttons(at)),
            ],
            **more,
        ),
        "send_carousel one": lambda api, at, more: api.send_carousel(
            NUMBER,
            body="Oferta",
            cards=[CarouselCard(body=f"Caneca {at}", buttons=buttons(at))],
            **more,
        ),
        "send_reaction": lambda api, at, more: api.send_reaction(
            MessageKey(id=f"3EB0AA{at}", remote_jid=f"{NUMBER}@s.whatsapp.net", from_me=False),
            "👍",
            **more,
        ),
    }
)


def cases() -> list[Any]:
    found = []
    for version in VERSIONS:
        fake = FakeEvolution(version=version)
        profile = fake.kernel.server.profile
        for kind in KINDS:
            operation = OPERATIONS[f"message.{kind.partition(' ')[0]}"]
            if profile.lacks(operation) is None:
                found += [
                    pytest.param(version, kind, channel, id=f"{version}-{channel}-{kind}")
                    for channel in operation.channels
                    if (version, channel, kind) not in UNABLE
                ]
    return found


class Stage:
    """A fake of one version with one instance, and a client that was not told the version."""

    def __init__(self, version: str, channel: str) -> None:
        self.clock = clock = FakeClock()
        self.fake = FakeEvolution(api_key=KEY, version=version, clock=clock)
        number = "123456789012345" if channel == "business" else None
        self.fake.create_instance(
            "sales", integration=CHANNELS[channel], state="open", number=number
        )
        handle = self.fake.kernel.handle
        self.looks: list[Mapping[str, Any]] = []

        def watched(method: str, target: str, headers: Any, body: bytes) -> Any:
            if "/chat/findMessages/" in target:
                self.looks.append(json.loads(body)["where"]["key"])
            return handle(method, target, headers, body)

        self.fake.kernel.handle = watched  # type: ignore[method-assign]  # a spy around it
        retry = EvolutionRetryService(6, 1, clock=clock, sleep=clock.sleep)
        self.client = EvolutionClient(
            config=EvolutionConfig(self.fake.url, KEY),
            instance="sales",
            retry=retry,
            clock=clock,
            sleep=clock.sleep,
            http_client=self.fake.http_client(),
        )


@pytest.mark.parametrize(("version", "kind", "channel"), cases())
def test_each_is_there_once(version: str, kind: str, channel: Any) -> None:
    stage = Stage(version, channel)
    operation: Operation[Any] = OPERATIONS[f"message.{kind.partition(' ')[0]}"]
    by_id = channel in operation.message_id_on and version.startswith("2.4")
    sent, unknown, found = [], 0, 0
    for at, fault in enumerate(FAULTS):
        if fault:
            body = BOOM if fault == "status" else None
            stage.fake.faults.add(operation.name, fault, count=1, status=500, body=body)
        stage.looks.clear()
        try:
            # Two and three are equal, as when a person is reminded twice.
            message = KINDS[kind](
                stage.client.messages, 2 if at == 3 else at, {"on_unknown": "resend"}
            )
        except SendOutcomeUnknownError:
            unknown += 1
            continue
        sent.append(message.id)
        found += message.reconciled
        if by_id and at:
            assert all("id" in key for key in stage.looks)
    there = [row.key_id for row in stage.fake.sent]
    assert len(set(sent)) == len(sent)
    assert set(sent) <= set(there)
    # What no server was seen to store is never sent again by itself, but reported.
    form = form_of(sent_kind(operation), stage.fake.sent[-1].body)
    assert unknown == 0 or unrecorded(form, [channel])
    assert len(there) <= len(FAULTS)
    if not unknown:
        assert len(there) == len(FAULTS)
        assert found == FAULTS.count("answer_then_drop")
