"""What people reported in public: each input of `tests/data/cases/cases.json`, read right.

One test for each id. The file's `about` texts are cut hints; its right values are asserted here.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from case_bench import TOKEN, Server, digits_of, handles, learned, phone, posted

from evolution_sdk import (
    Button,
    CarouselCard,
    Effect,
    EvolutionClient,
    Jid,
    LicenseRequiredError,
)
from evolution_sdk.errors import BadRequestError, InstanceNotConnectedError, Phase
from evolution_sdk.events import filters, parse_event
from evolution_sdk.testing import FakeEvolution
from facts import ROOT

CASES: dict[int, dict[str, Any]] = {
    case["id"]: case
    for case in json.loads((ROOT / "tests/data/cases/cases.json").read_text("utf-8"))
}
ANA, ANA_LID = "5511900000002", "100000000000002@lid"
ME, MY_LID = "5511900000001@s.whatsapp.net", "100000000000001@lid"


def event_of(case_id: int) -> Any:
    return parse_event(copy.deepcopy(CASES[case_id]["payload"]))


def test_each_case_has_its_test() -> None:
    tested = {name.split("_")[1] for name in globals() if name.startswith("test_")}
    assert [case for case in CASES if str(case) not in tested] == []


# A: a hidden id's digits are no phone number


def test_46_participants_update_unresolved_lid() -> None:
    event = event_of(46)
    hidden = "131100000000721@lid"
    lids = learned(event)
    assert lids.phone_of(hidden) is None
    assert lids.resolve(Jid.parse(hidden)) == Jid.parse(hidden)
    assert event.data.participants[0].id == hidden
    assert "131100000000721" not in {
        str(value) for told in event.data.participants_data for value in [told.phone_number]
    }


# B: a file that cannot be fetched is no dead session


def test_79_base64_type_error() -> None:
    refusal = "TypeError: Cannot read properties of undefined (reading 'ephemeralMessage')"
    body = {"status": 400, "error": "Bad Request", "response": {"message": [refusal]}}
    server = Server({"/chat/getBase64FromMediaMessage/loja": (400, body)})
    voice = {"audioMessage": {"mimetype": "audio/ogg; codecs=opus", "ptt": True}}
    key = {"remoteJid": f"{ANA}@s.whatsapp.net", "fromMe": False, "id": "3A1"}
    data = {"key": key, "message": voice, "messageType": "audioMessage"}
    told = parse_event({"event": "messages.upsert", "instance": "loja", "data": data})
    with server.client() as client:
        bound: Any = told.bind(client)
        with pytest.raises(BadRequestError) as caught:
            bound.download_media()
    assert not isinstance(caught.value, InstanceNotConnectedError)
    assert not caught.value.retryable
    assert len(server.asked("/chat/getBase64FromMediaMessage/loja")) == 1


# C: a server without a licence


def test_102_license_required() -> None:
    refusal = {
        "error": "service not activated",
        "code": "LICENSE_REQUIRED",
        "register_url": "https://evo.example/manager/login",
        "instance_id": "11111111-1111-4111-8111-111111111111",
        "docs_url": "https://doc.example/licensing",
        "message": "This server is not activated.",
    }
    server = Server({"/message/sendText/loja": (503, refusal)})
    with server.client() as client, pytest.raises(LicenseRequiredError) as caught:
        client.messages.send_text(ANA, "oi")
    assert caught.value.register_url == refusal["register_url"]
    assert caught.value.phase is not Phase.UNKNOWN
    assert not caught.value.retryable
    assert len(server.asked("/message/sendText/loja")) == 1


# D: an update with something new is no copy


def changed(case_id: int, change: Callable[[dict[str, Any]], object]) -> Any:
    raw = copy.deepcopy(CASES[case_id]["payload"])
    change(raw["data"])
    return parse_event(raw)


def test_100_edit_update_is_no_copy_of_the_ack() -> None:
    event = event_of(100)
    ack = changed(100, lambda data: data.pop("message"))
    earlier = changed(
        100,
        lambda data: data["message"]["editedMessage"]["message"].update(conversation="preço: 30"),
    )
    assert len({event.delivery_key, ack.delivery_key, earlier.delivery_key}) == 3
    assert event.delivery_key == event_of(100).delivery_key


def test_99_second_vote_through_the_receiver() -> None:
    def vote(*voters: str) -> dict[str, Any]:
        data = {
            "keyId": "3EB0POLL00000001",
            "remoteJid": "120363000000000009@g.us",
            "fromMe": True,
            "participant": "120363000000000009@g.us",
            "instanceId": "i",
            "pollUpdates": [
                {"name": "Sexta", "voters": list(voters)},
                {"name": "Sábado", "voters": []},
            ],
        }
        return {"event": "messages.update", "instance": "loja", "data": data}

    with posted([vote("a@lid"), vote("a@lid", "b@lid"), vote("a@lid", "b@lid")]) as seen:
        assert len(seen) == 2, "the third is a copy of the second"


# E: the content's own context on 2.4


def test_29_quote_in_image_reply() -> None:
    event = event_of(29)
    assert event.quoted.id == "3A00QUOTED"
    assert event.quoted.text == "Qual produto?"


def test_31_mention_in_caption() -> None:
    event = event_of(31)
    assert handles(filters.mentions_me, event)
    assert [str(jid) for jid in event.mentions] == [ME]


# F: poll votes


def test_8_poll_vote_upsert() -> None:
    event = event_of(8)
    assert str(event.kind) == "poll_vote"
    vote = event.poll_vote
    assert vote.options == ("Fazer pedido",)
    assert (vote.poll_id, vote.poll.id) == ("3EB0POLL00000001", "3EB0POLL00000001")
    assert (vote.is_readable, vote.is_removed) == (True, False)
    assert event.target.id == "3EB0POLL00000001"
    assert (event.text or "|".join(vote.options)) == "Fazer pedido"
    counts = [(count.name, [str(jid) for jid in count.voters]) for count in vote.tally]
    assert counts == [("Fazer pedido", [ANA_LID]), ("Ver o menu", [])]


def test_85_wait_for_poll_vote() -> None:
    fake = FakeEvolution()
    fake.create_instance("loja", state="open")
    http = fake.http_client()
    with EvolutionClient(fake.url, fake.api_key, http_client=http, instance="loja") as client:
        sent = client.messages.send_poll(ANA, "Aceita?", ["SIM", "NÃO"])
        chat = f"{ANA}@s.whatsapp.net"
        poll = {"remoteJid": chat, "fromMe": True, "id": sent.id}
        vote = {
            "pollCreationMessageKey": poll,
            "vote": {"selectedOptions": ["SIM"], "encPayload": {"0": 1}, "encIv": {"0": 2}},
        }
        data = {
            "key": {"remoteJid": chat, "fromMe": False, "id": "A5D0"},
            "message": {"pollUpdateMessage": vote},
            "messageType": "pollUpdateMessage",
            "messageTimestamp": int(sent.timestamp.timestamp()) + 1,
            "pollUpdates": [{"name": "SIM", "voters": [chat]}, {"name": "NÃO", "voters": []}],
        }
        client.feed(parse_event({"event": "messages.upsert", "instance": "loja", "data": data}))
        answer: Any = sent.wait_for_reply(timeout_ms=1_000)
    assert str(answer.kind) == "poll_vote"
    assert answer.poll_vote.options == ("SIM",)
    assert answer.poll_vote.poll_id == sent.id


# G: new content in messages.update


def test_4_update_with_new_content() -> None:
    event = event_of(4)
    assert event.message.text == "preço novo: 30"
    assert event.id == "A5560000000000BB"
    assert event.status.value == "SERVER_ACK"


# H: replies to native-flow buttons and lists


def test_20_native_flow_quick_reply() -> None:
    event = event_of(20)
    assert (event.selected.id, event.selected.title) == ("acao:v1:c", "Cancelar")
    assert event.selected.name == "quick_reply"
    assert event.text == "Cancelar"
    assert str(event.kind) == "interactive_reply"
    assert event.quoted.id == "3EB0BTN"


def test_22_native_flow_single_select() -> None:
    event = event_of(22)
    assert event.selected.id == "row_2"
    assert event.text == "Plano B"


# I: newer wrappers and names


def test_12_poll_created_v5() -> None:
    event = event_of(12)
    assert str(event.kind) == "poll"
    assert event.poll.options == ("Sexta", "Sábado")


def test_13_album_child_image() -> None:
    event = event_of(13)
    assert str(event.kind) == "image"
    assert event.media.mimetype == "image/jpeg"
    assert event.text == "foto 1"
    assert event.album_id == "3A00ALBUM"
    answer = {"base64": "RklMRQ==", "mimetype": "image/jpeg", "fileName": "a.jpg"}
    server = Server({"/chat/getBase64FromMediaMessage/loja": (201, answer)})
    with server.client() as client:
        assert event.bind(client).download_media() == b"FILE"


def test_15_lottie_sticker_wrapped() -> None:
    event = event_of(15)
    assert str(event.kind) == "sticker"
    assert (event.media.mimetype, event.media.size_bytes) == ("application/was", 1234)


# J: interactive, PIX, order, event


def test_23_interactive_inbound_body() -> None:
    event = event_of(23)
    assert "O que deseja fazer?" in event.text
    assert str(event.kind) == "interactive"
    assert event.interactive.body == "O que deseja fazer?"
    assert (event.interactive.title, event.interactive.footer) == ("Loja X", "rodapé")
    (button,) = event.buttons
    assert (button.id, button.text) == ("o1", "Opção 1")


def test_24_interactive_inbound_pix() -> None:
    event = event_of(24)
    assert str(event.kind) == "interactive"
    assert event.pix == "loja@example.com"
    assert not handles(filters.text, event)


def test_57_order_from_catalogue() -> None:
    event = event_of(57)
    assert str(event.kind) == "order"
    assert event.text == "Quero estes"
    assert event.order.id == "9990001"
    assert event.order.item_count == 2


def test_67_event_message() -> None:
    event = event_of(67)
    assert str(event.kind) == "event"
    assert event.text == "Reunião"
    assert event.calendar_event.name == "Reunião"
    assert event.calendar_event.start.timestamp() == 1_795_100_000
    assert event.calendar_event.location.name == "Sede"


# K: pairs of hidden id and phone


def test_38_key_230_sender_lid() -> None:
    event = event_of(38)
    assert digits_of(learned(event), ANA_LID) == ANA
    assert phone(event.sender) == ANA


def test_40_key_group_participant_pn() -> None:
    event = event_of(40)
    assert phone(event.message.sender_alt) == ANA
    assert digits_of(learned(event), ANA_LID) == ANA


def test_48_call_lid_caller_pn() -> None:
    event = event_of(48)
    assert str(event.data.status) == "offer"
    assert digits_of(learned(event), ANA_LID) == ANA
    assert ANA in {phone(event.data.caller), phone(event.data.caller_alt)}


# L: the account's own hidden id


def test_43_mention_bot_by_lid() -> None:
    case = CASES[43]
    with posted([*case["before"], case["payload"]]) as seen:
        event = seen[-1]
        assert event.mentions_me
        assert handles(filters.mentions_me, event)
    assert [str(jid) for jid in event.mentions] == [MY_LID]
    assert event.text == "@100000000000001 me ajuda"


def test_87_mention_text_readable() -> None:
    hidden = "131100000000721@lid"
    data = {
        "key": {"remoteJid": "120363000000000009@g.us", "fromMe": False, "id": "3A1"},
        "message": {"conversation": "@131100000000721 pode ver?"},
        "messageType": "conversation",
        "contextInfo": {"mentionedJid": [hidden]},
    }
    event: Any = parse_event({"event": "messages.upsert", "instance": "loja", "data": data})
    assert event.readable_text({hidden: "Ana"}) == "@Ana pode ver?"
    assert "131100000000721" in event.text, "the text itself stays as it was written"


# M: encrypted edits


def test_1_encrypted_edit_in_upsert() -> None:
    event = event_of(1)
    assert str(event.kind) == "edited"
    assert event.target.id == "3A0000000000ORIG"
    assert not handles(filters.text, event)
    assert event.text is None


# N: routes, fields and events of 2.4


def test_63_history_batch() -> None:
    event = event_of(63)
    assert event.progress == 35
    assert len(event.messages) == 1
    assert event.messages[0].text == "antiga"


def test_70_own_message_id() -> None:
    chosen = "3EB0MEU000000001"
    server = Server({"/message/sendText/loja": (201, accepted(chosen))}, version="2.4.0")
    with server.client() as client:
        sent = client.messages.send_text(ANA, "oi", message_id=chosen)
    (body,) = server.asked("/message/sendText/loja")
    assert body["messageId"] == chosen
    assert sent.id == chosen


def test_71_carousel() -> None:
    server = Server({"/message/sendCarousel/loja": (201, accepted("3EB0"))}, version="2.4.0")
    card = CarouselCard(
        title="Plano A",
        body="R$ 10",
        buttons=(Button(type="reply", display_text="Quero", id="a"),),
    )
    with server.client() as client:
        client.messages.send_carousel(ANA, body="Escolha", cards=[card])
    (body,) = server.asked("/message/sendCarousel/loja")
    assert [each["body"] for each in body["cards"]] == ["R$ 10"]


def test_75_send_to_channel() -> None:
    channel = "120363000000000077@newsletter"
    server = Server({"/message/sendText/loja": (201, accepted("3EB0"))}, version="2.4.0")
    with server.client() as client:
        client.messages.send_text(channel, "oi")
    (body,) = server.asked("/message/sendText/loja")
    assert body["number"] == channel


def test_80_route_unknown_to_the_sdk() -> None:
    server = Server({"/chat/brandNew/loja": (200, {"done": 1})})
    with server.client() as client:
        found = client.request("POST", "/chat/brandNew/loja", {"x": 1}, effect=Effect.READ)
    assert found == {"done": 1}
    assert server.asked("/chat/brandNew/loja") == [{"x": 1}]
    assert server.keys == {TOKEN}


def test_86_subscribe_history() -> None:
    server = Server({"/webhook/set/loja": (201, {"events": ["MESSAGING_HISTORY_SET"]})})
    with server.client() as client:
        client.webhook.set("https://bot.example/hook", events=["MESSAGING_HISTORY_SET"])
    (body,) = server.asked("/webhook/set/loja")
    assert body["webhook"]["events"] == ["MESSAGING_HISTORY_SET"]


# O: smaller readings


def test_18_view_once_flag_inside() -> None:
    event = event_of(18)
    assert event.message.is_view_once
    assert event.is_view_once
    assert str(event.kind) == "image"


def test_34_ctwa_ad() -> None:
    event = event_of(34)
    assert event.message.context["externalAdReply"]["ctwaClid"] == "ARclick"
    assert (event.ad.ctwa_clid, event.ad.source_id) == ("ARclick", "1202000000001")
    assert (event.ad.source_url, event.ad.source_type) == ("https://fb.me/x", "ad")
    assert (event.ad.title, event.ad.body) == ("Oferta", "Compre")


def test_53_speech_to_text() -> None:
    event = event_of(53)
    assert "quero marcar um horário" in event.transcript
    assert event.media.transcript == event.transcript
    assert str(event.kind) == "voice"
    assert event.media.seconds == 4


def test_55_document_without_caption() -> None:
    event = event_of(55)
    assert event.media.file_name == "contrato.pdf"
    assert event.media.caption is None
    assert not handles(filters.text, event)
    assert event.text is None


def test_88_quoted_status_reply() -> None:
    context = {
        "stanzaId": "3EB0STORY",
        "participant": ME,
        "remoteJid": "status@broadcast",
        "quotedMessage": {"imageMessage": {"mimetype": "image/jpeg", "caption": "promoção"}},
    }
    data = {
        "key": {"remoteJid": f"{ANA}@s.whatsapp.net", "fromMe": False, "id": "3A1"},
        "message": {"conversation": "quanto custa?"},
        "messageType": "conversation",
        "contextInfo": context,
    }
    event: Any = parse_event({"event": "messages.upsert", "instance": "loja", "data": data})
    assert event.quoted.id == "3EB0STORY"
    assert str(event.quoted.kind) == "image"
    assert event.quoted.is_story
    assert event.quoted.text == "promoção"


def test_95_base64_by_id() -> None:
    answer = {"base64": "RklMRQ==", "mimetype": "image/jpeg", "fileName": "a.jpg"}
    server = Server({"/chat/getBase64FromMediaMessage/loja": (201, answer)})
    with server.client() as client:
        assert client.chats.get_base64_from_media_message("3A1").content == b"FILE"
    assert server.asked("/chat/getBase64FromMediaMessage/loja") == [
        {"message": {"key": {"id": "3A1"}}}
    ]


def accepted(message_id: str) -> dict[str, Any]:
    return {
        "key": {"remoteJid": f"{ANA}@s.whatsapp.net", "fromMe": True, "id": message_id},
        "pushName": "Você",
        "status": "PENDING",
        "message": {"conversation": "oi"},
        "messageType": "conversation",
        "messageTimestamp": 1_795_000_000,
        "instanceId": "11111111-1111-4111-8111-111111111111",
        "source": "unknown",
    }
