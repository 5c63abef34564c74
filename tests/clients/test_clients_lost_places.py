"""Where a lost send may be stored besides its number, in which shape, and who may tell of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from evolution_sdk import ContactCard, Media, RetryPolicy, SendOutcomeUnknownError
from evolution_sdk.identity import LidMap

from .fake_stage import BAILEYS, BUSINESS, CHANNELS, EVOLUTION, JID, NUMBER, Stage

LID = "99887766554433@lid"
ONCE = RetryPolicy(max_attempts=2, delay_ms=1, jitter="none")
RESEND: dict[str, Any] = {"on_unknown": "resend", "retry": ONCE}


def rewrite(stage: Stage, **key: str) -> None:
    """Rows of own messages get another key before anybody can read them."""
    handle = stage.fake.kernel.handle

    def rewritten(method: str, target: str, *rest: Any) -> Any:
        reply = handle(method, target, *rest)
        instance = stage.fake.instances["sales"]
        for row in tuple(instance.messages):
            if row.key.get("fromMe") and not key.items() <= row.key.items():
                instance.remove_message(row)
                row.key.update(key)
                instance.add_message(row)
        return reply

    stage.fake.kernel.handle = rewritten  # type: ignore[method-assign]  # another version


def numbers_say(stage: Stage, *checks: dict[str, Any]) -> None:
    """The number check answers as recorded on 2.3.7: the phone, and the literal word "lid"."""
    handle = stage.fake.kernel.handle

    def told(method: str, target: str, *rest: Any) -> Any:
        reply = handle(method, target, *rest)
        if "/chat/whatsappNumbers/" in target:
            return replace(reply, status=200, body=json.dumps(checks).encode())
        return reply

    stage.fake.kernel.handle = told  # type: ignore[method-assign]  # another version


@pytest.mark.parametrize("taught", ["by the look", "by an answer"])
async def test_a_send_to_a_hidden_id_is_found_under_the_phone(stage: Stage, taught: str) -> None:
    """Recorded on 2.3.7 and 2.4: the answer and the row have the phone (`sendText to @lid`)."""
    stage.open_instance()
    rewrite(stage, remoteJid=JID)
    numbers_say(stage, {"jid": JID, "exists": True, "number": LID, "lid": "lid"})
    client = stage.client()
    if taught == "by an answer":
        handle = stage.fake.kernel.handle

        def phoned(method: str, target: str, *rest: Any) -> Any:
            reply = handle(method, target, *rest)
            body = reply.body.replace(LID.encode(), JID.encode())
            return replace(reply, body=body) if "/message/" in target else reply

        stage.fake.kernel.handle = phoned  # type: ignore[method-assign]  # another version
        await stage.kit.run(client.messages.send_text(LID, "antes"))
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await stage.kit.run(client.messages.send_text(LID, "olá", **RESEND))
    assert (found.evidence, found.remote_jid) == ("store", JID)
    stage.fake.assert_sent_times(1, text="olá")
    asked = sum("/whatsappNumbers/" in seen.path for seen in stage.arrived)
    assert asked == (1 if taught == "by the look" else 0)


async def test_a_send_to_a_hidden_id_of_an_unknown_phone_is_never_doubled(stage: Stage) -> None:
    stage.open_instance()
    rewrite(stage, remoteJid=JID)
    stage.fake.faults.add("chat.check_whatsapp_numbers", "status", status=400, body={})
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await stage.kit.run(stage.client().messages.send_text(LID, "olá", **RESEND))
    assert "unknown hidden id" in caught.value.checked
    stage.fake.assert_sent_times(1, text="olá")


async def test_a_hidden_id_that_the_check_merely_echoes_proves_no_absence(stage: Stage) -> None:
    stage.open_instance()
    rewrite(stage, remoteJid=JID)
    # 2.2.3 answers so; later ones name the phone once they know it (recorded `whatsappNumbers`).
    numbers_say(stage, {"jid": LID, "exists": True, "number": LID})
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await stage.kit.run(stage.client().messages.send_text(LID, "olá", **RESEND))
    assert "unknown hidden id" in caught.value.checked
    stage.fake.assert_sent_times(1, text="olá")


async def test_a_row_under_a_hidden_id_that_names_the_phone_beside_is_found(stage: Stage) -> None:
    """2.3.7 answers the phone to the number check while its rows keep the hidden id."""
    stage.open_instance()
    rewrite(stage, remoteJid=LID, remoteJidAlt=JID, addressingMode="lid")
    numbers_say(stage, {"jid": JID, "exists": True, "number": NUMBER, "lid": "lid"})
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await stage.kit.run(stage.client().messages.send_text(NUMBER, "olá", **RESEND))
    assert (found.evidence, found.remote_jid) == ("store", LID)
    stage.fake.assert_sent_times(1, text="olá")


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ({"remoteJidAlt": JID, "addressingMode": "lid"}, {"jid": JID}),  # 2.3.7
        ({}, {"jid": LID}),  # 2.2.3
        ({}, None),
    ],
)
async def test_a_remembered_pair_that_is_out_of_date_doubles_nothing(
    stage: Stage, beside: dict[str, str], told: dict[str, str] | None
) -> None:
    """A number that was given to somebody else has another hidden id than a store remembers."""
    stage.open_instance()
    rewrite(stage, remoteJid=LID, **beside)
    if told is None:
        stage.fake.faults.add("chat.check_whatsapp_numbers", "status", status=400, body={})
    else:
        numbers_say(stage, {"exists": True, "number": NUMBER, **told})
    old = LidMap.from_dict({"11111111111111": NUMBER})
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    client = stage.client(lids=old)
    if told is None:
        with pytest.raises(SendOutcomeUnknownError):
            await stage.kit.run(client.messages.send_text(NUMBER, "olá", **RESEND))
    else:
        found = await stage.kit.run(client.messages.send_text(NUMBER, "olá", **RESEND))
        assert found.remote_jid == LID
    stage.fake.assert_sent_times(1, text="olá")


@pytest.mark.parametrize("checked", [True, False])
async def test_a_remembered_pair_that_holds_lets_a_lost_send_go_out_again(
    stage: Stage, checked: bool
) -> None:
    stage.open_instance()
    if not checked:
        stage.fake.faults.add("chat.check_whatsapp_numbers", "status", status=400, body={})
    known = LidMap.from_dict({LID.partition("@")[0]: NUMBER})
    client = stage.client(lids=known)
    await stage.kit.run(client.messages.send_text(NUMBER, "antes"))
    stage.fake.faults.add("message.send_text", "drop", count=1)
    assert not (await stage.kit.run(client.messages.send_text(NUMBER, "olá", **RESEND))).reconciled
    stage.fake.assert_sent_times(1, text="olá")


async def test_a_server_that_does_not_know_that_filter_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    """2.2.3 would show all own messages, page after page: they prove and disprove nothing."""
    monkeypatch.setattr(f"evolution_sdk._{stage.kit.colour}.send_search._PAGE_SIZE", 2)
    stage.open_instance()
    handle = stage.fake.kernel.handle

    def old(method: str, target: str, headers: Any, body: bytes) -> Any:
        return handle(method, target, headers, body.replace(b"remoteJidAlt", b"unheardOf"))

    stage.fake.kernel.handle = old  # type: ignore[method-assign]  # another version
    client = stage.client()
    for number in range(50):
        await stage.kit.run(client.messages.send_text("5531987654321", f"outra {number}"))
    stage.fake.faults.add("message.send_text", "drop", count=1)
    assert not (await stage.kit.run(client.messages.send_text(NUMBER, "olá", **RESEND))).reconciled
    stage.fake.assert_sent_times(1, text="olá")


# Kinds


@pytest.mark.parametrize("channel", [BAILEYS, BUSINESS])
async def test_a_lost_contact_is_found(stage: Stage, channel: str) -> None:
    stage.open_instance(channel)
    card = ContactCard(full_name="Ada Lovelace", phone_number="+55 11 98765-4321")
    for cards in ([card], [card, ContactCard(full_name="Bia", phone_number="+5511987654322")]):
        stage.fake.faults.add("message.send_contact", "answer_then_drop", count=1)
        sending = stage.client().messages.send_contact(NUMBER, cards, **RESEND)
        assert (await stage.kit.run(sending)).reconciled
    assert len(stage.fake.sent) == 2


async def send_sound(stage: Stage, client: Any) -> Any:
    sound = Media.from_bytes(b"ID3" + bytes(40), file_name="som.mp3")
    return await stage.kit.run(client.messages.send_media(NUMBER, sound, **RESEND))


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("known", [True, False], ids=["channel known", "channel unknown"])
async def test_a_kind_that_was_never_recorded_is_not_sent_again(
    stage: Stage, channel: str, known: bool
) -> None:
    """An audio file by send_media: recorded on EVOLUTION alone."""
    stage.open_instance(channel)
    client = stage.client()
    if known:
        await stage.kit.run(client.messages.send_text(NUMBER, "antes"))
    stage.fake.faults.add("message.send_media", "drop", count=1)
    if channel == EVOLUTION and known:
        assert not (await send_sound(stage, client)).reconciled
        return
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await send_sound(stage, client)
    assert "never recorded" in caught.value.checked
    assert "media audio" in caught.value.checked
    stage.fake.assert_sent_times(1 if known else 0)


async def test_the_channel_is_told_by_what_is_stored(stage: Stage) -> None:
    stage.open_instance(EVOLUTION)
    await stage.kit.run(stage.client().messages.send_text(NUMBER, "de outro processo"))
    stage.fake.faults.add("message.send_media", "drop", count=1)
    assert not (await send_sound(stage, stage.client())).reconciled


# Whose word counts


def told(stage: Stage, text: str, **changes: Any) -> dict[str, Any]:
    key = {"id": "3EB0FEED0000000000AA", "remoteJid": JID, "fromMe": True}
    record = {
        "key": {**key, **changes.pop("key", {})},
        "message": {"conversation": text},
        "messageType": "conversation",
        "messageTimestamp": int(stage.kit.time.now),
    }
    return {"event": "send.message", "instance": "sales", "data": record, **changes}


async def lost_while_told(stage: Stage, tell: Any) -> Any:
    """Lose a send, and hear of something while it is looked for."""
    stage.new_fake(store_messages=False)
    stage.open_instance()
    client = stage.client()
    stage.fake.faults.add("message.send_text", "drop", count=1)
    stage.before = lambda _, target: (  # type: ignore[method-assign]  # a hook of the stage
        tell(client) if "/message/" in target else None
    )
    return await stage.kit.run(client.messages.send_text(NUMBER, "olá"))


async def test_an_event_fed_as_verified_is_evidence(stage: Stage) -> None:
    found = await lost_while_told(
        stage, lambda client: client.feed(told(stage, "olá"), verified=True)
    )
    assert found.evidence == "event"


@pytest.mark.parametrize(
    "changes",
    [
        {"instance": "other"},
        {"key": {"remoteJid": "5521912345678@s.whatsapp.net"}},
        {"key": {"fromMe": False}},
        {"event": "messages.upsert"},
    ],
    ids=["another instance", "another chat", "received", "another event"],
)
async def test_an_event_counts_for_its_instance_chat_and_author(
    stage: Stage, changes: dict[str, Any]
) -> None:
    with pytest.raises(SendOutcomeUnknownError):
        await lost_while_told(
            stage, lambda client: client.feed(told(stage, "olá", **changes), verified=True)
        )


async def test_an_event_fed_without_a_word_is_no_evidence(stage: Stage) -> None:
    with pytest.raises(SendOutcomeUnknownError):
        await lost_while_told(stage, lambda client: client.feed(told(stage, "olá")))


async def test_a_stranger_cannot_teach_whose_a_hidden_id_is(stage: Stage) -> None:
    """Else the message of another person would settle the send."""

    def tell(client: Any) -> None:
        pair = {"key": {"remoteJid": LID, "remoteJidAlt": JID, "id": "X", "fromMe": False}}
        client.feed({"event": "messages.upsert", "instance": "sales", "data": pair})
        client.feed(told(stage, "olá", key={"remoteJid": LID}), verified=True)

    with pytest.raises(SendOutcomeUnknownError):
        await lost_while_told(stage, tell)


async def test_the_same_id_in_another_instance_is_another_message(stage: Stage) -> None:
    """Ids can be chosen on 2.4, and are not unique across instances."""
    stage.open_instance()
    stage.open_instance(name="other")
    client = stage.client()
    first = await stage.kit.run(client.instance("other").messages.send_text(NUMBER, "olá"))
    rewrite(stage, id=first.id)
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await stage.kit.run(client.messages.send_text(NUMBER, "olá", **RESEND))
    assert (found.reconciled, found.id) == (True, first.id)
    assert len(stage.fake.sent) == 2
