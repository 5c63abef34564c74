"""Every answer that real servers were recorded to give, through ``Operation.parse``."""

from __future__ import annotations

import base64
import re
from typing import Any, NamedTuple

import pytest
from contract_recordings import (
    ALL_FAMILIES,
    Exchange,
    lost,
    of_every_version,
    texts_of,
)

from evolution_sdk import errors
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import EvolutionAPIError
from evolution_sdk.identity import LidMap
from evolution_sdk.models import Model
from evolution_sdk.operations.operation import sent_kind
from evolution_sdk.operations.routes import OPERATIONS
from evolution_sdk.reconcile.fingerprint import Fingerprint, fingerprint

ALL = of_every_version(*ALL_FAMILIES)


def parse(exchange: Exchange) -> Any:
    return OPERATIONS[exchange.operation].parse(exchange.status, exchange.body)


def failure(exchange: Exchange) -> EvolutionAPIError | None:
    try:
        parse(exchange)
    except EvolutionAPIError as error:
        return error
    return None


FAILED = [(exchange, error) for exchange in ALL if (error := failure(exchange)) is not None]
WELL = [exchange for exchange in ALL if failure(exchange) is None]


def ids(items: list[Any]) -> list[str]:
    return [item.id if isinstance(item, Exchange) else item[0].id for item in items]


def test_there_is_enough_to_go_by() -> None:
    assert len(WELL) >= 200
    assert len(FAILED) >= 250
    # Only what hides inside a success is an error with a 2xx.
    hidden = {type(error) for exchange, error in FAILED if exchange.status < 300}
    assert hidden == {NOT_CONNECTED, errors.MetaAPIError, errors.FeatureDisabledError}
    assert all(exchange.status < 300 for exchange in WELL)


@pytest.mark.parametrize("exchange", WELL, ids=ids(WELL))
def test_success_is_typed_without_drift_and_loses_nothing(exchange: Exchange) -> None:
    decoded = OPERATIONS[exchange.operation].decode(exchange.status, exchange.body)
    assert decoded.drift == ()
    value, data = decoded.value, exchange.data
    if not isinstance(data, dict | list):
        # 2.2.3 says null where later ones say that a list is empty.
        assert plain(value) == (data or (None if value is None else []))
        return
    if exchange.operation == "chat.find_messages":
        assert value.raw == data
        assert list(lost(data["messages"], dump(value))) == []
        return
    models = value if isinstance(value, list) else [value]
    records = data if isinstance(data, list) else [data]
    assert all(isinstance(model, Model) for model in models)
    assert [model.raw for model in models] == records
    assert list(lost(records, [dump(model) for model in models])) == []


def plain(value: Any) -> Any:
    """What a body that is no object was read from."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def dump(model: Model) -> Any:
    return model.model_dump(by_alias=True, exclude_unset=True, mode="json")


@pytest.mark.parametrize(("exchange", "error"), FAILED, ids=ids(FAILED))
def test_failure_is_specific_and_complete(exchange: Exchange, error: EvolutionAPIError) -> None:
    assert type(error) is not errors.EvolutionAPIError
    if type(error) is errors.NotFoundError:
        assert re.search(MISSING, "; ".join(error.messages))
    assert error.status == exchange.status
    assert error.raw == exchange.data
    assert error.operation == exchange.operation
    assert error.effect is OPERATIONS[exchange.operation].effect
    assert texts_of(exchange.data) <= set(error.messages)
    assert len(str(error)) < 600
    assert "\n" not in str(error)
    if error.effect is Effect.SEND and error.phase is Phase.UNKNOWN:
        assert not error.retryable


# What is missing is neither an instance nor a route.
MISSING = (
    r"^Media not found$|^Error fetching group; Error: item-not-found$|^No invite info; "
    r"|^(Openai Creds|Bot|Dify|Typebot|Openai [Bb]ot) not found$|^Error decrypting poll votes; "
)


class Expected(NamedTuple):
    """What one notable recording must become."""

    exchange: str
    error: type[EvolutionAPIError]
    phase: Phase
    transient: bool = False


SENT_NOT, UNKNOWN, ANSWERED = Phase.NOT_SENT, Phase.UNKNOWN, Phase.ANSWERED
NOT_CONNECTED = errors.InstanceNotConnectedError
OFF_CHANNEL = errors.ChannelNotSupportedError
NOTABLE = [
    # keys, names, routes
    Expected("root.verify_creds.wrong_key", errors.AuthenticationError, ANSWERED),
    Expected("instance.fetchInstances.bearer", errors.AuthenticationError, ANSWERED),
    Expected(
        "instance.connectionState.unknown.missing_key", errors.InstanceNotFoundError, ANSWERED
    ),
    Expected("instance.fetchInstances.unknown_name", errors.InstanceNotFoundError, ANSWERED),
    Expected("message.sendText.unknown_instance", errors.InstanceNotFoundError, ANSWERED),
    Expected("instance.create.duplicate-evolution", errors.InstanceAlreadyExistsError, ANSWERED),
    Expected("root.unknown_route", errors.RouteNotFoundError, ANSWERED),
    Expected("instance.connectionState.wrong_method", errors.RouteNotFoundError, ANSWERED),
    Expected("instance.restart.put", errors.RouteNotFoundError, ANSWERED),
    Expected("message.sendText.huge_body_137MiB", errors.PayloadTooLargeError, ANSWERED),
    # the request
    Expected("message.sendText.text_missing_all-evolution", errors.BadRequestError, ANSWERED),
    Expected("instance.create.json_string_body", errors.BadRequestError, ANSWERED),
    Expected("instance.create.name_wrong_type", errors.BadRequestError, ANSWERED),
    Expected("message.sendText.text_empty-baileys", errors.BadRequestError, ANSWERED),
    Expected("message.sendMedia.multipart_wrong_field-evolution", errors.BadRequestError, ANSWERED),
    Expected(
        "message.sendMedia.multipart_document_no_filename-evolution",
        errors.BadRequestError,
        ANSWERED,
    ),
    Expected("message.sendSticker.multipart-simulated", errors.BadRequestError, ANSWERED),
    Expected("message.sendText.text_group_unknown-simulated", errors.BadRequestError, ANSWERED),
    Expected("chat.findChatByRemoteJid.missing-evolution", errors.BadRequestError, ANSWERED),
    Expected("chat.findMessages.validation-evolution-3", errors.BadRequestError, ANSWERED),
    Expected("chat.whatsappNumbers.validation-evolution", errors.BadRequestError, ANSWERED),
    Expected("webhook.set.no_events-evolution", errors.BadRequestError, ANSWERED),
    Expected("chat.fetchProfile-simulated-3", errors.RecipientNotFoundError, ANSWERED),
    # one connection lost, in many words
    Expected("message.sendText.text-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("message.sendMedia.media_video_base64-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("notconnected.lost_connection_cached.sendText-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected(
        "notconnected.lost_connection_cached.sendMedia-baileys", NOT_CONNECTED, SENT_NOT, True
    ),
    Expected("notconnected.never_connected.sendText-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("notconnected.connecting_cached.sendText-baileys", NOT_CONNECTED, UNKNOWN, True),
    Expected("chat.whatsappNumbers-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("notconnected.never_connected.whatsappNumbers-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("notconnected.never_connected.fetchProfile-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected(
        "notconnected.connecting_not_cached.markMessageAsRead-baileys",
        NOT_CONNECTED,
        SENT_NOT,
        True,
    ),
    Expected("chat.updatePrivacySettings-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("chat.updateProfilePicture-baileys", NOT_CONNECTED, SENT_NOT),
    Expected("instance.logout.evolution.again-evolution", NOT_CONNECTED, ANSWERED),
    Expected("instance.restart.whatsapp-baileys-baileys", NOT_CONNECTED, ANSWERED),
    # the channel cannot
    Expected("message.sendSticker.sticker_url-evolution", OFF_CHANNEL, ANSWERED),
    Expected("message.sendPoll.poll-business", OFF_CHANNEL, ANSWERED),
    Expected("message.sendTemplate.template-baileys", OFF_CHANNEL, ANSWERED),
    Expected("message.sendPtv.ptv_url-evolution", OFF_CHANNEL, ANSWERED),
    Expected("chat.whatsappNumbers-business", OFF_CHANNEL, ANSWERED),
    # a TypeError that is not about the channel: the send may have left
    Expected("message.sendMedia.media_audio_base64-business", errors.BadRequestError, UNKNOWN),
    Expected("message.sendText.text_quoted_empty-simulated", errors.BadRequestError, UNKNOWN),
    # Meta's refusal inside a 201
    Expected(
        "message.sendText.business.meta_400_with_error_data-business",
        errors.MetaAPIError,
        ANSWERED,
    ),
    Expected(
        "message.sendText.business.meta_rate_limit-business", errors.MetaAPIError, SENT_NOT, True
    ),
    # what the server itself does not know
    Expected("chat.archiveChat-baileys", errors.ServerError, UNKNOWN, True),
    Expected("chat.archiveChat-simulated-2", errors.BadRequestError, ANSWERED),
    # groups: schema violations of their own form, WhatsApp's words, several steps in one call
    Expected("group.findGroupInfos.validation-evolution-2", errors.BadRequestError, ANSWERED),
    Expected("group.sendInvite.validation-evolution", errors.BadRequestError, ANSWERED),
    Expected("group.findGroupInfos-simulated-2", errors.NotFoundError, ANSWERED),
    Expected("group.inviteInfo-baileys", errors.NotFoundError, ANSWERED),
    Expected("group.create-baileys", NOT_CONNECTED, UNKNOWN, True),
    Expected("notconnected.never_connected.create-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("notconnected.lost_connection_cached.create-baileys", NOT_CONNECTED, UNKNOWN, True),
    Expected("group.revokeInviteCode-baileys", NOT_CONNECTED, UNKNOWN, True),
    Expected("group.updateGroupPicture-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("group.sendInvite-baileys", errors.ServerError, UNKNOWN, True),
    Expected("notconnected.never_connected.fetchAllGroups-baileys", NOT_CONNECTED, SENT_NOT),
    # labels: one error for what was done and one for what was not
    Expected("label.handleLabel.add-simulated", errors.ServerError, UNKNOWN),
    Expected("label.handleLabel.remove-simulated", errors.ServerError, UNKNOWN),
    Expected(
        "notconnected.lost_connection_cached.handleLabel-baileys",
        errors.ServerError,
        UNKNOWN,
        True,
    ),
    Expected("label.handleLabel.unregistered-simulated", errors.RecipientNotFoundError, ANSWERED),
    Expected("proxy.set.invalid-evolution", errors.BadRequestError, ANSWERED),
    # envelope B
    Expected("template.create.validation-evolution", errors.BadRequestError, ANSWERED),
    Expected("template.create.meta_error-business", errors.MetaAPIError, ANSWERED),
    Expected("template.create-baileys", errors.BadRequestError, UNKNOWN),
    Expected("business.getCatalog-evolution", OFF_CHANNEL, ANSWERED),
    Expected("business.getCatalog-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("s3.getMediaUrl-business", errors.NotFoundError, ANSWERED),
    Expected("baileys.getAuthState-evolution", OFF_CHANNEL, ANSWERED),
    Expected("baileys.assertSessions-baileys", NOT_CONNECTED, SENT_NOT, True),
    Expected("variant.metrics.no_auth", errors.AuthenticationError, ANSWERED),
    # transports: an empty body says that the feature is off; events were left out
    Expected("variant.websocket.set_disabled-evolution", errors.FeatureDisabledError, ANSWERED),
    Expected("rabbitmq.find-evolution", errors.FeatureDisabledError, ANSWERED),
    Expected("pusher.find-evolution", errors.FeatureDisabledError, ANSWERED),
    Expected("variant.rabbitmq.set.no_events-evolution", errors.BadRequestError, ANSWERED),
    Expected("websocket.set.flat_body-evolution", errors.BadRequestError, ANSWERED),
    Expected("variant.chatwoot.find_disabled-evolution", errors.FeatureDisabledError, ANSWERED),
    # chatbots: their rules are 500 with a text
    Expected("typebot.create.duplicate-evolution", errors.BadRequestError, ANSWERED),
    Expected("openai.create.duplicate-evolution", errors.BadRequestError, ANSWERED),
    Expected("typebot.update.unknown-evolution", errors.BadRequestError, ANSWERED),
    Expected("evolutionBot.update.unknown-evolution", errors.BadRequestError, ANSWERED),
    Expected("n8n.delete.unknown-evolution", errors.BadRequestError, ANSWERED),
    Expected("openai.creds.set.duplicate-evolution", errors.BadRequestError, ANSWERED),
    Expected("openai.creds.delete-evolution", errors.BadRequestError, ANSWERED),
    Expected("openai.creds.delete.unknown-evolution", errors.NotFoundError, ANSWERED),
    Expected("openai.getModels-evolution", errors.ServerError, UNKNOWN, True),
    Expected("variant.dify.find_disabled-evolution", errors.FeatureDisabledError, ANSWERED),
]


@pytest.mark.parametrize("expected", NOTABLE, ids=[row.exchange for row in NOTABLE])
def test_notable_failures(expected: Expected) -> None:
    error = next(error for exchange, error in FAILED if exchange.id == expected.exchange)
    assert type(error) is expected.error
    assert error.phase is expected.phase
    assert error.transient is expected.transient


def of(exchange_id: str) -> EvolutionAPIError:
    return next(error for exchange, error in FAILED if exchange.id == exchange_id)


def test_every_recorded_way_of_saying_not_connected() -> None:
    closed = [
        (exchange, error)
        for exchange, error in FAILED
        if any("Connection Closed" in message for message in error.messages)
    ]
    assert closed
    for exchange, error in closed:
        assert isinstance(error, NOT_CONNECTED), exchange.id
        doubtful = exchange.operation in ("group.create_group", "group.revoke_invite_code")
        assert error.phase is (UNKNOWN if doubtful else SENT_NOT), exchange.id
        assert error.transient, exchange.id


def test_every_recorded_way_of_saying_not_on_this_channel() -> None:
    said = {
        re.sub(r"\[[\w.]+\]", "[…]", re.sub(r"\.\w+ is", ".… is", message))
        for _, error in FAILED
        if type(error) is OFF_CHANNEL
        for message in error.messages
    }
    assert said == {
        "Method not available on Evolution Channel",
        "Method not available on WhatsApp Business API",
        "Method not available in the Baileys service",
        "this.waMonitor.waInstances[…].… is not a function",
        "instance.… is not a function",
    }


def test_the_missing_recipient_is_named() -> None:
    error = of("chat.fetchProfile-simulated-3")
    assert isinstance(error, errors.RecipientNotFoundError)
    assert error.jid == "5511999000000@s.whatsapp.net"
    assert error.number == "5511999000000@s.whatsapp.net"


def test_metas_own_words_and_codes_are_kept() -> None:
    error = of("message.sendText.business.meta_rate_limit-business")
    assert isinstance(error, errors.MetaAPIError)
    assert (error.code, error.type) == (130429, "OAuthException")
    assert error.fbtrace_id
    assert error.fbtrace_id.startswith("Afake")
    assert error.messages[0] == "(#130429) Rate limit hit"
    assert error.messages[1].startswith("Message failed to send because")
    assert error.retryable


def test_a_lost_text_is_said_to_be_lost() -> None:
    error = of("instance.restart.whatsapp-baileys-baileys")
    assert error.status == 200
    assert "[object Object]" not in str(error)
    assert "no detail given" in str(error)


SENDS = [
    exchange
    for exchange in WELL
    if exchange.operation.startswith("message.") and isinstance(exchange.request.get("json"), dict)
]


def mark_of(exchange: Exchange) -> Fingerprint:
    """What a request would have left, where the client knows the person's other id."""
    body, book = exchange.request["json"], LidMap()
    book.learn_number(body.get("number"), exchange.data["key"]["remoteJid"])
    return fingerprint(sent_kind(OPERATIONS[exchange.operation]), body).resolved(book)


@pytest.mark.parametrize("exchange", SENDS, ids=ids(SENDS))
def test_a_sent_message_is_recognised_by_its_request(exchange: Exchange) -> None:
    mark = mark_of(exchange)
    assert mark.matches(exchange.data)
    # and no longer when somebody else wrote it, or in another chat
    theirs = {**exchange.data, "key": {**exchange.data["key"], "fromMe": False}}
    assert not mark.matches(theirs)
    elsewhere = {**exchange.data, "key": {**exchange.data["key"], "remoteJid": "1@s.whatsapp.net"}}
    assert not mark.matches(elsewhere)


def test_texts_are_not_taken_for_one_another() -> None:
    texts = [e for e in SENDS if e.operation == "message.send_text" and e.channel == "simulated"]
    assert len({e.request["json"]["text"] for e in texts}) > 1
    for one in texts:
        mark = mark_of(one)
        for other in texts:
            same = one.request["json"]["text"] == other.request["json"]["text"]
            same_chat = one.data["key"]["remoteJid"] == other.data["key"]["remoteJid"]
            assert mark.matches(other.data) == (same and same_chat)
