"""What other versions answer: the same outcome as the base, but for what is listed here.

Recorded on running servers (`facts/versions/versions.md`). Where a request was put to several
versions, class, phase and transience of the outcome must be the same, unless the version itself
behaves differently.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any, NamedTuple

import pytest
from contract_recordings import ALL_FAMILIES, BASE, VERSIONS, Exchange, exchanges

from evolution_sdk import OPERATIONS, errors
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import EvolutionAPIError
from evolution_sdk.operations.classify import classify
from evolution_sdk.operations.error_facts import ErrorFacts
from facts import read


def outcome(exchange: Exchange) -> tuple[str, ...]:
    """What a caller sees: success, or class, phase and transience of the error."""
    try:
        OPERATIONS[exchange.operation].parse(exchange.status, exchange.body)
    except EvolutionAPIError as error:
        return type(error).__name__, error.phase.name, str(error.transient)
    return ("success",)


# What a version itself does otherwise: pattern of "<version> <name of the recording> <channel>".
DIFFERENT = {
    # `facts/versions/versions.md` §3 and §4
    r"^2\.2\.3 (n8n|evoai|nats|kafka|business)\.": "routes of 2.3",
    r"^2\.2\.3 (chat\.)?findChatByRemoteJid": "a route of 2.3",
    r"^2\.2\.3 root\.metrics": "a route of 2.3; without it the words are those of metrics off",
    r"^2\.2\.3 \w+\.(fetch|update|delete)\.unknown evolution": "a bot that is not there is told",
    r"^2\.2\.3 webhook\.set\.disable": "wants a url to switch off",
    r"^2\.2\.3 (chat\.)?findStatusMessage": "fails without paging",
    r"^2\.2\.3 message\.send(Media|WhatsAppAudio)\..* business": "takes files by URL only",
    r"^2\.2\.3 message\.sendReaction\.reaction_remove": "refuses an empty reaction first",
    r"^2\.2\.3 template\.create": "keeps Meta's words to itself",
    r"^2\.2\.3 typebot\.start evolution": "fails on the stand-in's answer",
    r"^2\.2\.3 sendText to @lid": "knows no hidden ids",
    r"^2\.2\.3 sendPtv base64": "measures no video, which fails in later recordings",
    r"^2\.4-pre .*logout": "a closed instance is no error",
    r"^2\.4-pre message\.sendText\.mentionsEveryOne\.string": "its schema refuses the text",
    r"^2\.(3\.7|4-pre) notconnected\.never_connected\.sendText": "loses the reason for groups",
    # routes of 2.3.7 and 2.4, asked of every version
    r"^2\.2\.3 template\.(edit|delete)": "routes of 2.3.7",
    r"^2\.4-pre (chat\.markMessageAsPlayed|(chat\.)?(getPollVote|findChannels))": "routes of 2.4",
    r"^2\.4-pre (message\.)?sendCarousel": "a route of 2.4",
    r"^2\.4-pre (group\.)?updateMemberAddMode": "a route of 2.4",
    r"^2\.4-pre baileys\.generateMessageID": "a route of 2.4",
    # made by the recording: an instance that was there or not, an exchange that was switched on
    r" instance\.create\.empty_name": "the name was taken",
    r" instance\.(delete\.[\w-]+\.again|fetchInstances\.evolution\.after_logout) ": "still there",
    r"^2\.2\.3 instance\.logout\.whatsapp-baileys baileys": "was connecting",
    r" rabbitmq\.(find|set\.(all_events|disable|empty_body|flat_body)) ": "was on",
    r" pusher\.find": "was on",
}
_KNOWN = re.compile("|".join(DIFFERENT))


class Asked(NamedTuple):
    """A request as it was put to several versions."""

    name: str
    channel: str
    body: str


def _asked() -> dict[Asked, dict[str, set[tuple[str, ...]]]]:
    found: dict[Asked, dict[str, set[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(set))
    for version in VERSIONS:
        for exchange in exchanges(*ALL_FAMILIES, version=version):
            body = json.dumps(exchange.request.get("json"), sort_keys=True)
            # Ids of rows differ from one database to the next.
            body = re.sub(r"\bcm[a-z0-9]{20,}|[0-9a-f-]{36}", "…", body)
            found[Asked(exchange.name, exchange.channel, body)][version].add(outcome(exchange))
    return found


ASKED = _asked()


def _differing() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for asked, told in ASKED.items():
        usual = told.get(BASE) or told.get("2.3.7") or set()
        for version, seen in told.items():
            if usual and seen != usual:
                label = f"{version} {asked.name} {asked.channel}"
                found[label] = (sorted(seen), sorted(usual))
    return found


def test_every_version_has_the_same_outcome_but_for_what_is_listed() -> None:
    differing = _differing()
    assert {label: each for label, each in differing.items() if not _KNOWN.search(label)} == {}
    unused = [known for known in DIFFERENT if not any(re.search(known, each) for each in differing)]
    assert unused == []
    assert len(ASKED) > 1000


class Told(NamedTuple):
    """What one answer that only some versions give must become."""

    version: str
    file: str
    name: str
    channel: str
    effect: Effect
    error: type[EvolutionAPIError]
    phase: Phase = Phase.ANSWERED
    transient: bool = False
    advice: str = ""


READ, SET, SEND, REMOVE = Effect.READ, Effect.IDEMPOTENT, Effect.SEND, Effect.DESTRUCTIVE
OFF_CHANNEL, NOT_CONNECTED = errors.ChannelNotSupportedError, errors.InstanceNotConnectedError
NOT_SENT = Phase.NOT_SENT
# A bare channel is that of the whole file; the effects are those of the operations.
TOLD = [
    # routes of 2.4 on a channel or an instance that cannot do it
    Told("2.4-pre", "new_routes", "message.sendCarousel", "business", SEND, OFF_CHANNEL),
    Told("2.4-pre", "new_routes", "chat.getPollVote", "business", READ, OFF_CHANNEL),
    Told("2.4-pre", "new_routes", "chat.findChannels", "business", READ, OFF_CHANNEL),
    Told("2.4-pre", "new_routes", "chat.markMessageAsPlayed", "evolution", SET, OFF_CHANNEL),
    Told("2.4-pre", "new_routes", "group.updateMemberAddMode", "evolution", SET, OFF_CHANNEL),
    Told("2.4-pre", "new_routes", "baileys.generateMessageID", "business", READ, OFF_CHANNEL),
    Told("2.4-pre", "new_routes", "chat.markMessageAsPlayed", "baileys", SET, NOT_CONNECTED,
         NOT_SENT, True),
    Told("2.4-pre", "new_routes", "group.updateMemberAddMode", "baileys", SET, NOT_CONNECTED,
         NOT_SENT, True),
    Told("2.4-pre", "new_routes", "baileys.generateMessageID", "baileys", READ, NOT_CONNECTED,
         NOT_SENT, True),
    Told("2.4-pre", "new_routes", "chat.getPollVote", "baileys", READ, errors.NotFoundError,
         advice="no such poll"),
    # what it refuses
    Told("2.4-pre", "new_routes", "message.sendCarousel.no_buttons", "evolution", SEND,
         errors.BadRequestError),
    Told("2.4-pre", "new_routes", "group.updateMemberAddMode.validation", "evolution", SET,
         errors.BadRequestError),
    Told("2.4-pre", "new_routes", "template.delete.validation", "business", REMOVE,
         errors.BadRequestError),
    Told("2.4-pre", "baileys_exchanges", "updateMemberAddMode wrong mode", "simulated", SET,
         errors.BadRequestError),
    Told("2.4-pre", "new_routes", "message.sendText.mentionsEveryOne.string", "evolution", SEND,
         errors.BadRequestError),
    Told("2.4-pre", "message", "message.sendButtons.buttons_no_buttons", "baileys", SEND,
         errors.BadRequestError),
    # a licence that could not be asked for
    Told("2.4.0-rc2", "unlicensed", "license.register", "", SET, errors.ServerError,
         Phase.UNKNOWN, True, "outgoing HTTPS"),
    Told("2.4.0-rc2", "unlicensed", "license.activate.bad_code", "", SET, errors.ServerError,
         Phase.UNKNOWN, True, "outgoing HTTPS"),
    Told("2.4.0-rc2", "unlicensed", "license.activate.no_code", "", SET, errors.BadRequestError),
    Told("2.4.0-rc2", "unlicensed", "root.malformed_json.unlicensed", "", SEND,
         errors.BadRequestError),
    # 2.2.3
    Told("2.2.3", "message", "message.sendMedia.media_image_base64", "business", SEND,
         errors.ServerError, NOT_SENT, False, "give the file's URL"),
    Told("2.2.3", "message", "message.sendMedia.multipart_document", "business", SEND,
         errors.ServerError, NOT_SENT, False, "give the file's URL"),
    Told("2.2.3", "message", "message.sendWhatsAppAudio.multipart", "business", SEND,
         errors.ServerError, NOT_SENT, False, "give the file's URL"),
    Told("2.2.3", "message", "message.sendWhatsAppAudio.audio_base64", "business", SEND,
         errors.BadRequestError, advice="give the file's URL"),
    Told("2.2.3", "message", "message.sendWhatsAppAudio.audio_url", "evolution", SEND,
         errors.BadRequestError, advice="multipart"),
    Told("2.2.3", "root", "root.metrics", "", READ, errors.FeatureDisabledError,
         advice="from server 2.3 on"),
    Told("2.2.3", "webhook", "webhook.set.disable", "evolution", SET, errors.BadRequestError,
         advice="webhook.find()"),
    Told("2.2.3", "new_routes", "webhook.set.MESSAGING_HISTORY_SET", "evolution", SET,
         errors.BadRequestError, advice="does not know that one"),
    Told("2.2.3", "template", "template.create.meta_error", "business", SEND, errors.ServerError,
         Phase.UNKNOWN, True, "keeps Meta's answer to itself"),
    Told("2.2.3", "dify", "dify.update.unknown", "evolution", SET, errors.NotFoundError),
    # the same words on several versions
    Told("2.3.7", "message", "notconnected.never_connected.sendText", "baileys", SEND,
         errors.BadRequestError, advice="connection_state"),
    Told("2.3.7", "new_routes", "settings.set", "baileys", SET, errors.ServerError, Phase.UNKNOWN,
         advice="The settings are stored"),
    Told("2.4-pre", "new_routes", "settings.set", "evolution", SET, errors.ServerError,
         Phase.UNKNOWN, advice="The settings are stored"),
]  # fmt: skip
# What the declarations of the routes say about their errors, for those that have none yet.
FACTS_OF = {
    "license": ErrorFacts(asks_maker=True),
    "template": ErrorFacts(detailed=True),
    "message": ErrorFacts(habits=frozenset({"reads_own_name", "reads_own_id"})),
    "dify": ErrorFacts(habits=frozenset({"looks_up_bot"})),
    "root": ErrorFacts(plain_text=True),
}


@pytest.mark.parametrize("told", TOLD, ids=lambda row: f"{row.version} {row.name} {row.channel}")
def test_what_only_some_versions_say(told: Told) -> None:
    entry = next(
        entry
        for entry in read(f"versions/{told.version}/{told.file}.json")
        if entry["name"] == told.name and told.channel in str(entry["channel"] or "").lower()
    )
    response = entry["response"]
    facts = FACTS_OF.get(entry["request"]["path"].split("/")[1], FACTS_OF.get(told.file))
    error = classify(
        response["status"], response["json"], "an.operation", told.effect, facts or ErrorFacts()
    )
    assert (type(error), error.phase, error.transient) == (told.error, told.phase, told.transient)
    assert told.advice in str(error)
    assert len(str(error)) < 600


def test_a_call_that_the_channel_lacks_names_the_channels_that_have_it() -> None:
    body = json.dumps({"response": {"message": "instance.pollMessage is not a function"}}).encode()
    for key, advice in {
        "message.send_poll": "integration is WHATSAPP-BAILEYS",
        "message.send_list": "integration is WHATSAPP-BAILEYS or WHATSAPP-BUSINESS",
        "message.send_text": "another channel",
    }.items():
        with pytest.raises(errors.ChannelNotSupportedError) as caught:
            OPERATIONS[key].parse(500, body)
        assert advice in str(caught.value)
