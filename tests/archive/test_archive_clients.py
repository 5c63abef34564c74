"""The archive beside a real client, in both colours, and a server that answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import (
    AsyncEvolutionClient,
    EvolutionClient,
    EvolutionConfig,
    RecipientNotFoundError,
)
from evolution_sdk.archive import Archive
from evolution_sdk.testing import FakeEvolution

NUMBER = "5511987654321"


@pytest.fixture
def fake() -> FakeEvolution:
    made = FakeEvolution(api_key="k")
    made.create_instance("sales")
    made.not_on_whatsapp("5511900000000")
    return made


CONFIG = EvolutionConfig("http://fake", "k", instance="sales")


def check(archive: Archive, sent: Any, fake: FakeEvolution) -> None:
    """Own sends are kept once, also when their event comes; failed ones and reads are not."""
    (kept,) = archive.messages()
    assert (kept.id, kept.instance, kept.text) == (sent.id, "sales", "Olá")
    assert (kept.from_me, kept.chat) == (True, sent.remote_jid)
    assert archive.lost == 0


async def test_an_async_client_is_observed(place: str, fake: FakeEvolution) -> None:
    client = AsyncEvolutionClient(config=CONFIG, http_client=fake.async_http_client())
    with Archive(place) as archive:
        end = client.observe(archive.observe)
        sent = await client.messages.send_text(NUMBER, "Olá")
        with pytest.raises(RecipientNotFoundError):
            await client.messages.send_text("5511900000000", "nobody")
        await client.chats.find_messages()
        end()
        await client.messages.send_text(NUMBER, "not observed")
        check(archive, sent, fake)
    await client.close()


def test_a_sync_client_is_observed(place: str, fake: FakeEvolution) -> None:
    with (
        EvolutionClient(config=CONFIG, http_client=fake.http_client()) as client,
        Archive(place) as archive,
    ):
        end = client.observe(archive.observe)
        sent = client.messages.send_text(NUMBER, "Olá")
        with pytest.raises(RecipientNotFoundError):
            client.messages.send_text("5511900000000", "nobody")
        client.chats.find_messages()
        end()
        client.messages.send_text(NUMBER, "not observed")
        check(archive, sent, fake)


def test_a_file_that_cannot_be_written_harms_no_send(tmp_path: Path, fake: FakeEvolution) -> None:
    (tmp_path / "a.db").write_bytes(b"no database" * 1_000)
    with EvolutionClient(config=CONFIG, http_client=fake.http_client()) as client:
        archive = Archive(tmp_path / "a.db")
        client.observe(archive.observe)
        assert client.messages.send_text(NUMBER, "Olá").id
        assert archive.waiting == 1
