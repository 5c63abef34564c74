"""Content of every type: the places of text, file, context and target.

The shapes are those of WhatsApp's protobuf (``Message``), of the recordings and of the servers'
sources; names and numbers are invented.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from evolution_sdk import Jid
from evolution_sdk import events as ev
from evolution_sdk.events import MessageKind as Kind
from evolution_sdk.events import filters
from evolution_sdk.models.message_types import MESSAGE_TYPES, WITHOUT_CONTENT, WRAPPERS
from facts import read

CONTACT = "5511900000002@s.whatsapp.net"
GROUP = "120363000000000009@g.us"
IMAGE = {
    "url": "https://mmg.whatsapp.net/x.enc",
    "directPath": "/v/x",
    "mediaKey": {"0": 9, "1": 8},
    "fileSha256": "AAEC",
    "mimetype": "image/jpeg",
    "caption": "foto",
}


def upsert(message: dict[str, Any], kind: str = "", **data: Any) -> ev.MessagesUpsert:
    record = {
        "key": {"id": "M1", "remoteJid": CONTACT, "fromMe": False},
        "message": message,
        "messageType": kind or next(iter(message), ""),
        "messageTimestamp": 1795000000,
        **data,
    }
    event = ev.parse_event({"event": "messages.upsert", "instance": "loja", "data": record})
    assert isinstance(event, ev.MessagesUpsert)
    return event


def recorded(version: str, name: str, event: str) -> list[Any]:
    rows = read(f"versions/{version}/baileys_webhooks.json")
    return [
        ev.parse_event(row["json"])
        for row in rows
        if row["name"] == name and row["json"]["event"] == event
    ]


@pytest.mark.parametrize("wrapper", sorted(WRAPPERS - {"editedMessage"}))
def test_every_wrapper_is_looked_through(wrapper: str) -> None:
    event = upsert({wrapper: {"message": {"imageMessage": IMAGE}}})
    assert (event.kind, event.text) == (Kind.IMAGE, "foto")
    assert event.media is not None
    assert event.media.encrypted is not None
    assert event.media.encrypted.media_key == b"\x09\x08"
    assert event.is_view_once is wrapper.startswith("viewOnce")
    assert event.message.content_type == "imageMessage"


def test_wrappers_in_wrappers_and_ones_that_came_later() -> None:
    inner: dict[str, Any] = {"documentMessage": {"fileName": "a.pdf", "caption": "leia"}}
    for wrapper in ("documentWithCaptionMessage", "viewOnceMessageV2", "ephemeralMessage"):
        inner = {wrapper: {"message": inner}}
    event = upsert({"wrapperOfTomorrow": {"message": inner}})
    assert (event.kind, event.text, event.is_view_once) == (Kind.DOCUMENT, "leia", True)
    assert event.message.is_ephemeral


def test_a_type_that_holds_a_message_of_its_own_is_no_wrapper() -> None:
    key = {"id": "POST", "remoteJid": GROUP, "fromMe": True}
    event = upsert({"commentMessage": {"message": {"conversation": "eu"}, "targetMessageKey": key}})
    assert (event.kind, event.text) == (Kind.COMMENT, "eu")
    assert event.target is not None
    assert event.target.id == "POST"


def test_no_type_stands_in_two_lists() -> None:
    assert not WRAPPERS & MESSAGE_TYPES.keys()
    assert not WITHOUT_CONTENT & (WRAPPERS | MESSAGE_TYPES.keys())


@pytest.mark.parametrize("kind", sorted(MESSAGE_TYPES))
def test_every_type_says_where_its_words_are(kind: str) -> None:
    """A content object with all the places that its row names gives the first of them."""
    row = MESSAGE_TYPES[kind]
    part: dict[str, Any] = {}
    for number, path in enumerate(row.text):
        node = part
        *way, last = path.split(".")
        for name in way:
            node = node.setdefault(name, {})
        node[last] = f"words {number}"
    event = upsert({kind: part} if row.text else {kind: {"x": 1}})
    assert event.message.content_type == kind
    assert event.text == ("words 0" if row.text else None)


def test_the_context_inside_the_content_comes_first() -> None:
    """2.4 puts ``messageContextInfo`` beside the content."""
    beside = {"deviceListMetadataVersion": 2, "messageSecret": {"0": 1}}
    inside = {"stanzaId": "Q", "quotedMessage": {"conversation": "qual?"}, "isForwarded": True}
    event = upsert({"imageMessage": {**IMAGE, "contextInfo": inside}}, contextInfo=beside)
    assert event.quoted is not None
    assert (event.quoted.id, event.quoted.text, event.is_forwarded) == ("Q", "qual?", True)
    plain = upsert({"conversation": "oi"}, contextInfo=beside)
    assert (plain.message.context, plain.message.context_known) == ({}, False)
    assert upsert({"conversation": "oi"}, contextInfo=None).message.context_known is None
    assert upsert({"conversation": "oi"}).message.context_known is True
    assert upsert({"conversation": "oi"}, contextInfo=inside).message.context_known is True


def test_a_quoted_story_and_a_quoted_group() -> None:
    story = {"stanzaId": "S", "participant": CONTACT, "remoteJid": "status@broadcast"}
    event = upsert(
        {"conversation": "quanto?"},
        contextInfo={**story, "quotedMessage": {"imageMessage": IMAGE}},
    )
    assert event.quoted is not None
    assert (event.quoted.is_story, event.quoted.kind) == (True, Kind.IMAGE)
    assert event.quoted.media is not None
    assert filters.story_reply.check(event)
    away = upsert({"conversation": "?"}, contextInfo={**story, "remoteJid": GROUP}).quoted
    assert away is not None
    assert (away.is_story, away.is_group) == (False, True)


def test_an_ad_is_told_from_the_preview_of_a_link() -> None:
    ad = {"sourceType": "ad", "sourceId": "120", "ctwaClid": "AR", "mediaType": 2}
    event = upsert({"conversation": "oi"}, contextInfo={"externalAdReply": ad})
    assert event.ad is not None
    assert (event.ad.ctwa_clid, event.ad.source_id, event.ad.media_type) == ("AR", "120", "VIDEO")
    assert filters.from_ad.check(event)
    shown = {"title": "Loja", "body": "site", "mediaUrl": "https://loja.example", "mediaType": 1}
    assert upsert({"conversation": "oi"}, contextInfo={"externalAdReply": shown}).ad is None
    entry = upsert({"conversation": "oi"}, contextInfo={"conversionSource": "FB_Ads"}).ad
    assert entry is not None
    assert entry.entry_point == "FB_Ads"


def test_keys_written_by_another_phone_are_turned_round() -> None:
    """``fromMe`` in a revoke of the other side means the other side."""
    own = {"id": "T", "remoteJid": "5511900000001@s.whatsapp.net", "fromMe": True}
    event = upsert({"protocolMessage": {"key": own, "type": 0}})
    assert event.kind is Kind.REVOKED
    assert event.target is not None
    assert (event.target.id, event.target.remote_jid, event.target.from_me) == ("T", CONTACT, False)
    pinned = upsert({"pinInChatMessage": {"key": {**own, "fromMe": False}, "type": 1}}).target
    assert pinned is not None
    assert (pinned.remote_jid, pinned.from_me) == (CONTACT, True)
    # Those of reactions and votes arrive turned round.
    reacted = upsert({"reactionMessage": {"key": own, "text": "👍"}}).target
    assert reacted is not None
    assert reacted.from_me


def test_a_key_in_a_group_names_its_author() -> None:
    key = {"id": "G1", "remoteJid": GROUP, "fromMe": False, "participant": "100000000000002@lid"}
    own = {"id": "T", "remoteJid": GROUP, "fromMe": True}
    event = upsert({"keepInChatMessage": {"key": own, "keepType": 1}}, key=key)
    assert event.target is not None
    assert (event.target.participant, event.target.from_me) == ("100000000000002@lid", False)


@pytest.mark.parametrize("code", [1, 2, 4, "EVENT_EDIT", "MESSAGE_EDIT", "POLL_EDIT", None])
def test_an_encrypted_edit_names_what_it_changes(code: object) -> None:
    key = {"id": "T", "remoteJid": CONTACT, "fromMe": True}
    event = upsert({"secretEncryptedMessage": {"targetMessageKey": key, "secretEncType": code}})
    assert (event.kind, event.text) == (Kind.EDITED, None)
    assert event.target is not None
    assert event.target.id == "T"
    assert not filters.text.check(event)


def test_an_edit_in_a_wrapper_has_the_new_text() -> None:
    """Recorded on 2.2.3 as ``messages.upsert``."""
    for event in recorded("2.2.3", "edit (editedMessage wrapper) in LID chat", "messages.upsert"):
        assert event.kind is Kind.EDITED
        assert event.text
        assert event.target is not None


def sealed(options: int) -> dict[str, int]:
    """An encrypted vote for that many options: 16 bytes of AES-GCM and 34 for each."""
    return {str(index): 7 for index in range(16 + 34 * options)}


def vote(chosen: object, count: int, updates: object = None) -> ev.PollVote:
    inner: dict[str, Any] = {"encPayload": sealed(count), "encIv": {"0": 1}}
    if chosen is not None:
        inner["selectedOptions"] = chosen
    key = {"id": "POLL", "remoteJid": CONTACT, "fromMe": True}
    more = {} if updates is None else {"pollUpdates": updates}
    event = upsert({"pollUpdateMessage": {"pollCreationMessageKey": key, "vote": inner}}, **more)
    assert event.kind is Kind.POLL_VOTE
    assert event.poll_vote is not None
    return event.poll_vote


def test_a_vote_that_was_taken_back_is_told_from_an_unreadable_one() -> None:
    nobody = [{"name": "Sim", "voters": []}, {"name": "Não", "voters": []}]
    back = vote([], 0, nobody)
    assert (back.options, back.is_removed, back.is_readable) == ((), True, True)
    # 2.3.7 writes the same list when it could not decrypt the vote.
    closed = vote([], 1, nobody)
    assert (closed.options, closed.is_removed, closed.is_readable) == (None, False, False)
    assert vote(None, 2).options is None
    assert vote(None, 0).is_removed
    assert vote(["Sim", "Não"], 2).options == ("Sim", "Não")
    told = [{"name": "Sim", "voters": [CONTACT]}, {"name": "Não", "voters": []}]
    by_tally = vote(None, 1, told)
    assert (by_tally.options, by_tally.voter) == (("Sim",), Jid.parse(CONTACT))


@pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("poll vote on received v1 group poll", ("Sim",)),
        ("poll vote two options", ("A", "C")),
        ("poll vote single choice, key as the phone writes it", ("Y",)),
        ("poll vote on an unknown poll", None),
    ],
)
def test_recorded_votes(version: str, name: str, options: tuple[str, ...] | None) -> None:
    (event,) = recorded(version, name, "messages.upsert")
    assert event.poll_vote.options == options
    assert event.poll_vote.poll_id
    assert event.poll_vote.voter == event.sender
    assert event.text == (None if options is None else ", ".join(options))
    assert filters.poll_vote.check(event)
    assert filters.poll_vote("Sim").check(event) is (options == ("Sim",))


def test_a_vote_of_2_2_3_is_an_update() -> None:
    name = "poll vote on received v1 group poll"
    votes = [event.poll_vote for event in recorded("2.2.3", name, "messages.update")]
    (found,) = [each for each in votes if each is not None]
    assert (found.options, str(found.voter)) == (("Sim",), "100000000000002@lid")
    assert found.poll_id == "3ASIM00000000000032"


@pytest.mark.parametrize(
    ("reply", "chosen", "title"),
    [
        (
            {"interactiveResponseMessage": {"nativeFlowResponseMessage": {
                "name": "quick_reply", "paramsJson": '{"id":"a","display_text":"Sim"}'}}},
            "a", "Sim",
        ),
        (
            {"interactiveResponseMessage": {"body": {"text": "B"}, "nativeFlowResponseMessage": {
                "name": "single_select", "paramsJson": '{"id":7}'}}},
            "7", "B",
        ),
        (
            {"interactiveResponseMessage": {"body": {"text": "ok"}, "nativeFlowResponseMessage": {
                "name": "flow", "paramsJson": "{broken"}}},
            None, "ok",
        ),
        (
            {"listResponseMessage": {
                "title": "Plano", "singleSelectReply": {"selectedRowId": "p"}}},
            "p", "Plano",
        ),
        ({"buttonsResponseMessage": {"selectedButtonId": "b"}}, "b", None),
        (
            {"templateButtonReplyMessage": {"selectedId": "t", "selectedDisplayText": "Ok",
                                            "selectedIndex": 1}},
            "t", "Ok",
        ),
    ],
)  # fmt: skip
def test_every_reply_has_id_and_label(
    reply: dict[str, Any], chosen: str | None, title: str | None
) -> None:
    event = upsert({"viewOnceMessage": {"message": reply}}, "viewOnceMessage")
    assert event.selected is not None
    assert (event.selected.id, event.selected.title, event.text) == (chosen, title, title)
    assert filters.selected.check(event)


def test_the_fields_of_a_form() -> None:
    (event,) = recorded("2.3.7", "interactive native-flow reply (flow form)", "messages.upsert")
    assert event.selected.name == "flow"
    assert event.selected.params == {"flow_token": "tok1", "nome": "Ana"}
    assert json.loads(event.selected.params_json) == event.selected.params


def test_a_form_on_business_has_neither_title_nor_content() -> None:
    """``nfm_reply``: the server keeps nothing of it (`whatsapp.business.service.ts`)."""
    event = upsert({}, "interactiveMessage")
    assert (event.kind, event.text) == (Kind.INTERACTIVE_REPLY, None)


def test_buttons_of_every_kind() -> None:
    flow = [
        {"name": "cta_url", "buttonParamsJson": '{"display_text":"Ver","url":"https://l.example"}'},
        {"name": "cta_copy", "buttonParamsJson": '{"display_text":"Copiar","copy_code":"X1"}'},
        {
            "name": "single_select",
            "buttonParamsJson": '{"title":"Menu","sections":[{"rows":[{"id":"r","title":"R"}]}]}',
        },
    ]
    node = {"header": {"title": "Loja", "imageMessage": IMAGE}, "body": {"text": "Escolha"},
            "footer": {"text": "fim"}, "nativeFlowMessage": {"buttons": flow}}  # fmt: skip
    event = upsert({"interactiveMessage": node})
    assert event.interactive is not None
    assert (event.interactive.title, event.text, event.interactive.footer) == (
        "Loja", "Escolha", "fim",
    )  # fmt: skip
    assert [(b.type, b.id, b.text) for b in event.buttons] == [
        ("url", None, "Ver"), ("copy", None, "Copiar"), ("single_select", None, "Menu"),
        ("row", "r", "R"),
    ]  # fmt: skip
    assert event.buttons[0].url == "https://l.example"
    assert event.media is not None
    assert event.media.kind is Kind.IMAGE
    card = {"body": {"text": "Caneca"}, "nativeFlowMessage": {"buttons": flow[:1]}}
    carousel = upsert({"interactiveMessage": {"carouselMessage": {"cards": [card]}}}).interactive
    assert carousel is not None
    assert carousel.cards[0].buttons[0].text == "Ver"


def test_templates_lists_and_old_buttons() -> None:
    form = {
        "hydratedTitleText": "Pedido", "hydratedContentText": "Chegou", "hydratedButtons": [
            {"index": 0, "quickReplyButton": {"displayText": "Ok", "id": "q"}},
            {"index": 1, "callButton": {"displayText": "Ligar", "phoneNumber": "+5511"}},
        ],
    }  # fmt: skip
    for name in ("hydratedTemplate", "hydratedFourRowTemplate"):
        event = upsert({"templateMessage": {name: form}})
        assert (event.kind, event.text) == (Kind.TEMPLATE, "Chegou")
        assert [(b.type, b.text) for b in event.buttons] == [("reply", "Ok"), ("call", "Ligar")]
    rows = [{"rowId": "1", "title": "Um", "description": "d"}]
    listed = upsert({"listMessage": {"title": "T", "sections": [{"rows": rows}]}})
    assert [(b.type, b.id, b.description) for b in listed.buttons] == [("row", "1", "d")]
    (old,) = recorded("2.3.7", "buttons message (business)", "messages.upsert")
    assert (old.text, [(b.id, b.text) for b in old.buttons]) == ("Escolha", [("b1", "Sim")])


def test_payments_and_pix() -> None:
    params = {
        "currency": "BRL", "total_amount": {"value": 1050, "offset": 100}, "reference_id": "R1",
        "payment_settings": [{"type": "pix_dynamic_code", "pix_dynamic_code": {"code": "0002"}}],
        "order": {"status": "pending", "items": [
            {"retailer_id": "P", "name": "Caneca", "quantity": 1,
             "amount": {"value": 1050, "offset": 100}}]},
    }  # fmt: skip
    button = {"name": "review_and_pay", "buttonParamsJson": json.dumps(params)}
    event = upsert({"interactiveMessage": {"nativeFlowMessage": {"buttons": [button]}}})
    assert event.payment is not None
    assert (event.payment.amount, event.payment.currency) == (Decimal("10.50"), "BRL")
    assert (event.payment.reference, event.pix) == ("R1", "0002")
    (item,) = event.payment.items
    assert (event.payment.status, item.name, item.price) == ("pending", "Caneca", Decimal("10.5"))
    asked = {
        "noteMessage": {"extendedTextMessage": {"text": "almoço"}}, "amount1000": "12300",
        "currencyCodeIso4217": "BRL", "requestFrom": CONTACT, "expiryTimestamp": 1795000000,
    }  # fmt: skip
    request = upsert({"requestPaymentMessage": asked})
    assert (request.kind, request.text) == (Kind.PAYMENT_REQUEST, "almoço")
    assert request.payment is not None
    assert (request.payment.amount, request.payment.note) == (Decimal("12.3"), "almoço")
    assert filters.payment.check(request)
    assert upsert({"conversation": "oi"}).payment is None


def test_orders_and_products() -> None:
    business = {
        "catalog_id": "C", "text": "quero",
        "product_items": [{"product_retailer_id": "P", "quantity": 2, "item_price": 5.5,
                           "currency": "BRL"}],
    }  # fmt: skip
    order = upsert({"orderMessage": business}, "conversation").order
    assert order is not None
    assert (order.total, order.currency, order.message) == (Decimal("11.0"), "BRL", "quero")
    assert order.items[0].retailer_id == "P"
    node = {"productId": "9", "title": "Caneca", "priceAmount1000": 19900, "currencyCode": "BRL",
            "productImage": IMAGE}  # fmt: skip
    event = upsert({"productMessage": {"product": node, "businessOwnerJid": CONTACT}})
    assert event.product is not None
    assert (event.product.id, event.product.price) == ("9", Decimal("19.9"))
    assert (event.kind, event.text) == (Kind.PRODUCT, "Caneca")
    assert event.media is not None


def test_invites_calls_and_calendar() -> None:
    (invited,) = recorded("2.4-pre", "group invite", "messages.upsert")
    assert str(invited.group_invite.group) == "120363000000000001@g.us"
    assert (invited.group_invite.code, invited.text) == ("SIMINV", "entre")
    log = {"isVideo": True, "callOutcome": 1, "durationSecs": "0", "callType": "REGULAR"}
    event = upsert({"callLogMesssage": log})
    assert event.call_log is not None
    assert (event.call_log.outcome, event.call_log.is_video) == (ev.CallOutcome.MISSED, True)
    (meeting,) = recorded("2.4-pre", "event message", "messages.upsert")
    assert meeting.calendar_event.start == datetime.fromtimestamp(1764309600, tz=UTC)
    assert meeting.calendar_event.location.name == "Sala 1"
    (album,) = recorded("2.4-pre", "album", "messages.upsert")
    (child,) = recorded("2.4-pre", "album child image", "messages.upsert")
    assert album.album.images == 2
    assert child.album_id == album.id


def test_records_show_nothing_that_people_wrote() -> None:
    params = '{"total_amount":{"value":1,"offset":1},"pix_static_code":{"key":"chave@x.example"}}'
    button = {"name": "payment_info", "buttonParamsJson": params}
    event = upsert({"interactiveMessage": {
        "body": {"text": "segredo"}, "nativeFlowMessage": {"buttons": [button]}}})  # fmt: skip
    shown = repr((event, event.message, event.interactive, event.payment, event.buttons))
    assert "segredo" not in shown
    assert "chave" not in shown
    # The id of a click names a person to Meta.
    ad = upsert({"conversation": "oi"}, contextInfo={"externalAdReply": {"ctwaClid": "clique"}}).ad
    assert ad is not None
    assert (ad.ctwa_clid, "clique" in repr(ad)) == ("clique", False)


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, {"message": 1}, [{}], True])
@pytest.mark.parametrize("kind", [*sorted(MESSAGE_TYPES), "wrapperOfTomorrow", "ephemeralMessage"])
def test_odd_content_raises_nowhere(kind: str, odd: object) -> None:
    event = upsert({kind: odd})
    for name in dir(ev.EventMessage):
        if not name.startswith(("_", "model_")):
            getattr(event.message, name)


@pytest.mark.parametrize("price", ["1e999999", "1e99999999999", "-1e-999999"])
def test_prices_of_any_size_raise_nowhere(price: str) -> None:
    """``product_items`` as Meta posts them (BUSINESS), with a price that no sum can hold."""
    items = [{"item_price": price, "quantity": 100, "currency": "BRL"}]
    event = upsert({"orderMessage": {"product_items": items}})
    assert event.order is not None
    assert (event.order.total, event.order.item_count) == (None, 1)


def test_an_empty_text_beside_a_file_does_not_hide_its_caption() -> None:
    assert upsert({"conversation": "", "imageMessage": IMAGE}, "imageMessage").text == "foto"
    assert upsert({"conversation": ""}).text == ""


PIX = {
    "name": "payment_info",
    "buttonParamsJson": '{"payment_settings":[{"pix_static_code":{"key":"chave@x.example"}}]}',
}


@pytest.mark.parametrize("content", [
    {"templateMessage": {"interactiveMessageTemplate": {"nativeFlowMessage": {"buttons": [PIX]}}}},
    {"buttonsMessage": {"buttons": [{"nativeFlowInfo": {
        "name": PIX["name"], "paramsJson": PIX["buttonParamsJson"]}}]}},
    {"interactiveMessage": {"carouselMessage": {"cards": [
        {"nativeFlowMessage": {"buttons": [PIX]}}]}}},
])  # fmt: skip
def test_pix_is_found_wherever_a_flow_may_stand(content: dict[str, Any]) -> None:
    """``NativeFlowInfo``, ``InteractiveMessage`` and ``TemplateMessage`` of the protobuf."""
    event = upsert(content)
    assert event.pix == "chave@x.example"
    assert [button.type for button in event.buttons] == ["payment_info"]


@pytest.mark.parametrize("version", ["2.2.3", "2.3.7", "2.4-pre"])
def test_a_plain_button_has_the_same_type_on_every_version(version: str) -> None:
    (event,) = recorded(version, "buttons message (business)", "messages.upsert")
    assert [(button.type, button.id) for button in event.buttons] == [("reply", "b1")]


@pytest.mark.parametrize("by_writer", [True, False])
def test_a_mention_in_a_story_names_the_story(by_writer: bool) -> None:
    """``STATUS_MENTION_MESSAGE`` (25) of the protobuf; the key is as its writer's phone sees it."""
    key = {"remoteJid": "status@broadcast", "fromMe": by_writer, "id": "S1"}
    mention = {"protocolMessage": {"key": key, "type": 25}}
    event = upsert({"statusMentionMessage": {"message": mention}})
    assert event.target is not None
    assert (event.target.id, event.target.remote_jid) == ("S1", "status@broadcast")
    if by_writer:
        assert (event.target.from_me, event.target.participant) == (False, CONTACT)


def test_a_revocation_names_nothing_outside_its_chat() -> None:
    key = {"remoteJid": "status@broadcast", "fromMe": False, "id": "S1"}
    event = upsert({"protocolMessage": {"key": key, "type": 0}})
    assert event.target is not None
    assert event.target.remote_jid == CONTACT


@pytest.mark.parametrize("field", ["reportingTokenVersion", "limitSharingV2", "paddingBytes"])
def test_no_field_of_the_message_context_is_taken_for_a_text_s_own(field: str) -> None:
    """The fields of ``MessageContextInfo``, which 2.4 copies in place of the context."""
    event = upsert({"conversation": "oi"}, contextInfo={field: {"0": 1}})
    assert (event.message.context_known, dict(event.message.context)) == (False, {})


@pytest.mark.parametrize("content", [
    {"listMessage": {"title": "", "description": "Escolha"}},
    {"interactiveMessage": {"body": {"text": ""}, "header": {"title": "Escolha"}}},
    {"orderMessage": {"message": "", "orderTitle": "Escolha"}},
])  # fmt: skip
def test_an_empty_title_does_not_hide_the_words_below_it(content: dict[str, Any]) -> None:
    """Fields of WhatsApp's protobuf, which a phone may fill with nothing."""
    assert upsert(content).text == "Escolha"
    assert upsert({"imageMessage": {**IMAGE, "caption": ""}}).text == ""
