"""A server's version, and what differs from version to version: the one place that knows.

Everything that depends on the version asks a :class:`ServerProfile`: the client, the monitor, the
fake server and the table in the docs. Facts: `facts/versions/versions.md`,
`facts/versions/versions.json`, `facts/versions/baileys.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.models.event_names import EVENTS_SINCE

if TYPE_CHECKING:
    from .operation import Operation

__all__ = [
    "BEHAVIOURS",
    "EVENTS_SINCE",
    "NEWEST",
    "OLDEST_MAJOR",
    "SUPPORTED",
    "Behaviour",
    "Change",
    "ServerProfile",
    "ServerVersion",
    "profile_of",
]

SUPPORTED: Final = ("2.2.3", "2.3.6", "2.3.7", "2.4.0")
"""The versions of which recordings are in `facts/`."""

NEWEST: Final = "2.4"
"""The newest series that this SDK was made for."""

OLDEST_MAJOR: Final = 2
"""The oldest major version that this SDK speaks to."""

_FORM: Final = re.compile(
    r"\s*v?([0-9]{1,6})(?:\.([0-9]{1,6}))?(?:\.([0-9]{1,6}))?(?![0-9.])(.*)", re.DOTALL
)
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True, order=True)
class ServerVersion:
    """A version of the server, such as ``2.3.7``.

    Versions are compared by their three numbers: a release candidate has what its release has.

    Attributes:
        release: The three numbers.
        text: How the server wrote it.
    """

    release: tuple[int, int, int]
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> ServerVersion | None:
        """Read a version.

        Args:
            text: Such as ``2.3.7``, ``v2.4.0-rc2`` or ``2.4``.

        Returns:
            The version; None where the text does not begin with one.
        """
        found = _FORM.match(text) if len(text) <= _LONGEST else None
        if found is None:
            return None
        major, minor, patch = (int(part or 0) for part in found.groups()[:3])
        return cls((major, minor, patch), text.strip().removeprefix("v"))

    @property
    def major(self) -> int:
        """The first number; this SDK supports 2."""
        return self.release[0]

    @property
    def is_too_old(self) -> bool:
        """True for a major version that this SDK does not speak to."""
        return self.major < OLDEST_MAJOR

    @property
    def is_newer(self) -> bool:
        """True for a series that is newer than the newest that this SDK was made for."""
        return self.release[:2] > _release(NEWEST)[:2]

    def at_least(self, since: str) -> bool:
        """Tell if it is a version or a later one.

        Args:
            since: The version, such as ``2.3``.
        """
        return self.release >= _release(since)

    def __str__(self) -> str:
        return self.text


@cache
def _release(text: str) -> tuple[int, int, int]:
    """Read a version of our own tables."""
    version = ServerVersion.parse(text)
    if version is None:
        raise ValueError(f"{text!r} is no version")
    return version.release


Behaviour: TypeAlias = Literal[
    "business_locations_typed",
    "alternative_keys",
    "bare_buttons",
    "bot_settings_whole",
    "business_media_apart",
    "button_rules",
    "business_uploads",
    "calls_have_ids",
    "channel_recipients",
    "chat_lids",
    "chats_whole",
    "closed_logout_succeeds",
    "contacts_filtered_by_id",
    "contacts_typed",
    "context_is_messages_own",
    "delivery_headers",
    "deletions_have_status",
    "deliveries_given_up",
    "edits_are_updates",
    "edits_stored",
    "empty_bots_are_lists",
    "fallback_id",
    "gif_playback",
    "history_progress",
    "info_asks_whatsapp_web",
    "instance_events",
    "instance_nats",
    "instances_reopen",
    "license_gate",
    "lid_in_alt",
    "lids_accepted",
    "logout_silent",
    "logout_waits",
    "media_url_stored",
    "mentions_every_one_checked",
    "message_ids",
    "numbers_without_lid",
    "participant_in_chats",
    "participant_objects",
    "phone_in_lid_keys",
    "poll_updates_left_out",
    "poll_votes_decrypted",
    "reactions_removable",
    "repeats_kept",
    "repeats_noticed",
    "revocations_are_edits",
    "route_error_shapes",
    "sends_as_web",
    "session_key_bot",
    "signed_deliveries",
    "socket_asks_key",
    "socket_open_hosts",
    "stories_unpaged",
    "unknown_bots_are_null",
    "webhook_off_without_url",
]
"""Names of the behaviours that differ."""


class Change(NamedTuple):
    """A behaviour that came with a version.

    Attributes:
        since: The first version that has it.
        now: What that version and the later ones do.
        before: What earlier ones do.
    """

    since: str
    now: str
    before: str


BEHAVIOURS: Final[Mapping[Behaviour, Change]] = MappingProxyType(
    {
        "info_asks_whatsapp_web": Change(
            "2.3",
            "`GET /` asks WhatsApp Web for its version, which is slow without that egress",
            "`GET /` answers at once, without `whatsappWebVersion`",
        ),
        "message_ids": Change(
            "2.4",
            "`messageId` of a send becomes the message's id (Baileys: text, media, sticker, ptv, "
            "poll; EVOLUTION: text, media, audio, buttons)",
            "`messageId` is ignored",
        ),
        "mentions_every_one_checked": Change(
            "2.4", "`mentionsEveryOne` must be a boolean", "a text is taken as well"
        ),
        "gif_playback": Change(
            "2.4",
            "`gifPlayback` and `gifAttribution` of `sendMedia` are checked, and heeded by Baileys",
            "both are ignored",
        ),
        "sends_as_web": Change(
            "2.3",
            "Baileys answers a send as `Você`, with an id of 22 characters, bytes as objects and "
            "context information in every chat",
            "without a name, with an id of 40 characters (source `unknown`), bytes in base64, and "
            "context information for quotes and mentions only",
        ),
        "context_is_messages_own": Change(
            "2.4",
            "`contextInfo` beside a message is its `messageContextInfo`, or `null`: quotes and "
            "mentions of texts are lost",
            "it holds quotes and mentions",
        ),
        "bare_buttons": Change(
            "2.4",
            "Baileys sends buttons as an `interactiveMessage`",
            "inside a `viewOnceMessage`",
        ),
        "button_rules": Change(
            "2.4",
            "Baileys checks number and kinds of buttons before it looks at the connection",
            "an unconnected instance fails first",
        ),
        "contacts_filtered_by_id": Change(
            "2.3.7",
            "`findContacts` filters by `id` and `pushName`",
            "both are ignored: every contact is answered",
        ),
        "stories_unpaged": Change(
            "2.3",
            "`findStatusMessage` needs no page",
            "without page and size it fails; the SDK always sends both",
        ),
        "contacts_typed": Change(
            "2.3",
            "`findContacts` pages, and tells `isGroup`, `isSaved` and `type`",
            "it answers the plain rows, all of them",
        ),
        "chats_whole": Change(
            "2.3",
            "`findChats` lists every chat with messages, its last message and its unread ones",
            "only chats with a contact, without these",
        ),
        "reactions_removable": Change(
            "2.3",
            "an empty reaction takes the reaction back",
            "it is refused: only emojis are taken",
        ),
        "business_uploads": Change(
            "2.3",
            "BUSINESS sends files given in base64 or uploaded",
            "both fail with 500; only URLs work",
        ),
        "route_error_shapes": Change(
            "2.3",
            "`whatsappNumbers`, templates and catalogues answer errors in shapes of their own, "
            "with Meta's reasons",
            "in the usual envelope; a template that fails is `Error to create template`",
        ),
        "closed_logout_succeeds": Change(
            "2.4", "logging out a closed instance answers 200", "it answers 400"
        ),
        "logout_waits": Change(
            "2.3.7", "`logout` answers when it is done", "`logout` answers first"
        ),
        "logout_silent": Change(
            "2.4",
            "a logout by the API sends no event",
            "it sends `logout.instance` and `connection.update`",
        ),
        "instances_reopen": Change(
            "2.4",
            "an EVOLUTION instance is open again after every start and connect",
            "it may stay `close` after a restart or logout",
        ),
        "webhook_off_without_url": Change(
            "2.3",
            "a webhook can be switched off without its address",
            "the address must be given along",
        ),
        "unknown_bots_are_null": Change(
            "2.3",
            "an unknown bot id is `null` when fetched, and `Error updating …` when changed",
            "it is an error that says `… not found`",
        ),
        "empty_bots_are_lists": Change(
            "2.3",
            "`find` of chatbots answers `[]` where there is none",
            "it answers `null`",
        ),
        "bot_settings_whole": Change(
            "2.3",
            "settings of chatbots are answered as their whole rows; Typebot's bots have "
            "`splitMessages` and `timePerChar`",
            "only the settings themselves are answered; Typebot's bots have neither of the two",
        ),
        "fallback_id": Change(
            "2.3",
            "settings of bots name their fallback `fallbackId`",
            "each family has a name of its own, such as `typebotIdFallback`",
        ),
        "session_key_bot": Change(
            "2.3",
            "answers of Typebot and OpenAI hold the bot under `bot`",
            "under `typebot` and `openai`",
        ),
        "calls_have_ids": Change("2.3", "`call/offer` answers an id", "`call/offer` answers `{}`"),
        "instance_nats": Change("2.3", "instances have a `Nats` member", "they have none"),
        "instance_events": Change(
            "2.3", "`instance.create` and `instance.delete` are sent", "they are not sent"
        ),
        "signed_deliveries": Change(
            "2.3",
            "webhooks with a `jwt_key` header carry `Authorization: Bearer <jwt>`",
            "they carry the secret itself in the header `jwt_key`",
        ),
        "delivery_headers": Change(
            "2.4",
            "webhooks carry `x-instance-id`, `x-instance-name`, `x-event-type`, `x-timestamp`",
            "they do not",
        ),
        "deliveries_given_up": Change(
            "2.3",
            "webhooks are tried again after 5, 10, 20 … 300 s, but not after 400, 401, 403, 404 "
            "and 422; an attempt may take 30 s",
            "they are tried ten times, 30 s apart, whatever the answer; an attempt may take for "
            "ever",
        ),
        "socket_asks_key": Change(
            "2.3",
            "the socket's handshake needs a key, but from listed hosts",
            "it needs none",
        ),
        "socket_open_hosts": Change(
            "2.3.7",
            "`WEBSOCKET_ALLOWED_HOSTS=*` frees all hosts from the key",
            "only listed hosts are free",
        ),
        "history_progress": Change(
            "2.3.7", "`messages.set` carries `isLatest` and `progress`", "it carries data only"
        ),
        "channel_recipients": Change(
            "2.4",
            "messages can be sent to channels (`…@newsletter`)",
            "a channel is taken for a group or a person who does not exist",
        ),
        "chat_lids": Change(
            "2.4", "`chats.set` names the hidden id (`remoteLid`)", "it does not name it"
        ),
        "poll_votes_decrypted": Change(
            "2.3.7", "poll votes come as `messages.upsert`, decrypted", "votes are left out"
        ),
        "repeats_kept": Change(
            "2.3.7",
            "a message that arrives twice is sent and stored twice",
            "a repeat within 5 minutes is dropped, from 2.3.0 on",
        ),
        "deletions_have_status": Change(
            "2.3.7", "`messages.delete` carries `status: DELETED`", "it is the bare key"
        ),
        "edits_are_updates": Change(
            "2.3.7",
            "an edit comes as `messages.update` as well, and an unknown status is `SERVER_ACK`",
            "only as `messages.edited`; an unknown status is `DELETED`",
        ),
        "edits_stored": Change(
            "2.3",
            "an edit that arrives replaces the content of the stored row",
            "rows keep their first content",
        ),
        "revocations_are_edits": Change(
            "2.3.1",
            "a message that its author deletes comes as `messages.edited` of type `REVOKE` too, "
            "and its row loses its content",
            "only as `messages.delete`; the row keeps its content",
        ),
        "poll_updates_left_out": Change(
            "2.3.5",
            "votes do not come as `messages.update`",
            "votes on a `pollCreationMessage` come as `messages.update` with `pollUpdates` and "
            "without a status; votes on a `pollCreationMessageV3` do not",
        ),
        "phone_in_lid_keys": Change(
            "2.3.7",
            "events of hidden chats have the phone as `remoteJid`; rows keep the hidden id",
            "events have the hidden id as `remoteJid`",
        ),
        "lid_in_alt": Change(
            "2.4",
            "events of hidden chats have the hidden id as `remoteJidAlt`",
            "2.3.7 repeats the phone there, so that the hidden id is lost",
        ),
        "participant_objects": Change(
            "2.3.5",
            "participants in group events are objects, beside `participantsData` and `authorPn`",
            "they are texts, and alone",
        ),
        "alternative_keys": Change(
            "2.3",
            "keys of messages tell `addressingMode`, and the other id of chat or author",
            "they have one id only",
        ),
        "participant_in_chats": Change(
            "2.3.7",
            "`key.participant` is an empty text in chats of two",
            "it is absent there",
        ),
        "repeats_noticed": Change(
            "2.3",
            "Baileys remembers for 5 minutes which messages have come",
            "it does not",
        ),
        "lids_accepted": Change(
            "2.3",
            "a hidden id (`…@lid`) is a recipient",
            "it is not on WhatsApp: sends to it are refused",
        ),
        "numbers_without_lid": Change(
            "2.4",
            "`whatsappNumbers` says nothing about hidden ids",
            '`"lid": "lid"`, the word itself, marks numbers known by a hidden id',
        ),
        "media_url_stored": Change(
            "2.3",
            'the EVOLUTION channel stores a file without a URL as `{"mediaUrl": null}`',
            "it stores `{}`",
        ),
        "business_locations_typed": Change(
            "2.3",
            "the BUSINESS channel stores a location as `locationMessage`",
            "it stores it as `conversation`",
        ),
        "business_media_apart": Change(
            "2.3.7",
            "the BUSINESS channel puts no media into events",
            "it puts them into `message.base64`, whether the webhook asks for it or not",
        ),
        "license_gate": Change(
            "2.4",
            "a server that was not activated answers 503 `LICENSE_REQUIRED` (from 2.4.0-rc1 on)",
            "there is no licence",
        ),
    }
)
"""Every behaviour that differs, and since when."""

# The last build before the licence has the routes of 2.4 and calls itself by this version.
_DEVELOPED_AS: Final = (2, 3, 7)
_DEVELOPED: Final = (2, 4, 0)
# Brought by the release candidates, after that build.
_RELEASED: Final[frozenset[Behaviour]] = frozenset(
    {"license_gate", "gif_playback", "instances_reopen"}
)


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """Routes and behaviours of a server of one version.

    Attributes:
        version: Its version, as it calls itself.
        develop: True for a build of 2.4 from before its licence, which calls itself 2.3.7.
    """

    version: ServerVersion
    develop: bool = False

    @property
    def calls_itself_stable(self) -> bool:
        """True where the version alone does not tell 2.3.7 from such a build."""
        return self.version.release == _DEVELOPED_AS

    @property
    def ambiguous(self) -> bool:
        """True where only its routes can tell 2.3.7 from such a build."""
        return self.calls_itself_stable and not self.develop

    def at_least(self, since: str) -> bool:
        """Tell if it has what came with a version.

        Args:
            since: That version.
        """
        if self.develop:
            return _release(since) <= _DEVELOPED
        return self.version.at_least(since)

    def has(self, behaviour: Behaviour) -> bool:
        """Tell if it behaves as the version that brought a behaviour, or as those before.

        Args:
            behaviour: Name of the behaviour.
        """
        if behaviour in _RELEASED and self.develop:
            return False
        return self.at_least(BEHAVIOURS[behaviour].since)

    def lacks(self, operation: Operation[Any]) -> str | None:
        """Say why the server has no such operation.

        Args:
            operation: The operation.

        Returns:
            The versions that have it, such as ``2.4``; None where this one has it.
        """
        until = operation.until
        if until is not None and self.at_least(until):
            return f"before {until}"
        if self.at_least(operation.since) and not (self.develop and operation.licensing):
            return None
        return operation.since

    def refused(self, body: Mapping[str, Any]) -> tuple[str, str] | None:
        """Find an event in the body of a request that the server would refuse to send.

        Args:
            body: The body.

        Returns:
            The event and the version that knows it first; None where there is none.
        """
        for event in _events(body):
            since = EVENTS_SINCE.get(event)
            if since is not None and not self.at_least(since):
                return event, since
        return None

    def spelled(self, operation: Operation[Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a body with the names that fields have on this version.

        Args:
            operation: The operation.
            body: The body, with the latest names.
        """
        old = {
            name: before
            for name, (since, before) in operation.fields_renamed.items()
            if not self.at_least(since)
        }
        return {old.get(name, name): value for name, value in body.items()} if old else body

    def ignored(
        self, operation: Operation[Any], body: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        """Find the fields of a request that the server would ignore.

        Args:
            operation: The operation.
            body: The body.

        Yields:
            The field, and the first version that heeds it.
        """
        for path, since in operation.fields_since.items():
            if not self.at_least(since) and _is_given(body, path):
                yield path, since


def _is_given(body: Mapping[str, Any], path: str) -> bool:
    first, _, rest = path.partition(".")
    inner = body.get(first)
    if not rest:
        return inner is not None
    return is_object(inner) and _is_given(inner, rest)


def _events(body: Mapping[str, Any]) -> Iterator[str]:
    """Walk the events that a body asks for: each way of delivery has a member of its own."""
    for part in body.values():
        events = part.get("events") if is_object(part) else None
        if is_array(events):
            yield from (event for event in events if isinstance(event, str))


def profile_of(version: str) -> ServerProfile | None:
    """Make the profile of a version.

    Args:
        version: The version, as ``GET /`` tells it.

    Returns:
        The profile; None where the text is no version.
    """
    parsed = ServerVersion.parse(version)
    return None if parsed is None else ServerProfile(parsed)
