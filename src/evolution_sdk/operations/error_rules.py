"""The table from a status and the server's words to the exact error.

The server's status codes do not tell much (a lost connection is 400, 404 or 500), so that the words
decide, and only those that the server itself wrote. Facts: `facts/semantics.md` §2 and §7,
`facts/observed.md`, `facts/versions/versions.md`. The first rule that matches wins; each says the
class, how far the call got, whether the cause passes, and whom the failure concerns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evolution_sdk import errors
from evolution_sdk._base.effect import Effect, Phase

from .envelopes import ErrorBody
from .error_facts import ErrorFacts, Habit, Words, pattern

__all__ = ["RULES", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table.

    Attributes:
        error: The class to raise.
        text: Pattern searched in the joined messages, or None for any.
        status: HTTP statuses it applies to; empty for any.
        phase: How far the call got.
        transient: Whether trying again later may help.
        sends_only: Whether the rule is only for operations with effect SEND.
        habit: Only where the server's code does this; None for everywhere.
        concerns: Whom the failure concerns; None for what the class says.
        when: A further condition on the body.
        advice: What to do about it, where the class's own advice would mislead.
    """

    error: type[errors.EvolutionAPIError]
    text: Words | None = None
    status: tuple[int, ...] = ()
    phase: Phase = Phase.ANSWERED
    transient: bool = False
    sends_only: bool = False
    habit: Habit | None = None
    concerns: errors.Concerns | None = None
    when: Callable[[ErrorBody], bool] | None = None
    advice: str = ""

    def matches(
        self, status: int, text: str, body: ErrorBody, facts: ErrorFacts, effect: Effect
    ) -> bool:
        """Tell if this rule is the one."""
        if self.status and status not in self.status:
            return False
        if self.habit is not None and self.habit not in facts.habits:
            return False
        if self.sends_only and effect is not Effect.SEND:
            return False
        if self.text is not None and not self.text.search(text):
            return False
        return self.when is None or self.when(body)


# What the server reads from its WhatsApp socket (its Baileys service, 2.2.3 to 2.4.0-rc2). Where
# the socket is missing, reading one of these fails, and nothing was written to it. Any other
# property is one of a message, a file, a group or a request: a bug about that one thing.
_SOCKET = (
    "onWhatsApp|sendMessage|relayMessage|waUploadToServer|sendPresenceUpdate|presenceSubscribe"
    "|readMessages|sendReceipts|updateMediaMessage|chatModify|profilePictureUrl|fetchStatus"
    "|getBusinessProfile|fetchPrivacySettings|updateReadReceiptsPrivacy|updateOnlinePrivacy"
    "|updateProfilePicturePrivacy|updateStatusPrivacy|updateLastSeenPrivacy|updateGroupsAddPrivacy"
    "|updateProfileName|updateProfileStatus|updateProfilePicture|removeProfilePicture"
    "|updateBlockStatus|addChatLabel|removeChatLabel|groupMetadata|groupCreate|groupInviteCode"
    "|groupUpdateSubject|groupUpdateDescription|groupFetchAllParticipating|groupGetInviteInfo"
    "|groupAcceptInvite|groupRevokeInvite|groupParticipantsUpdate|groupSettingUpdate"
    "|groupToggleEphemeral|groupLeave|groupMemberAddMode|offerCall|rejectCall|terminateCall"
    "|getCatalog|getCollections|fetchMessageHistory|requestPlaceholderResend|requestPairingCode"
    "|generateMessageTag|assertSessions|createParticipantNodes|getUSyncDevices|sendNode"
    "|signalRepository|authState|creds|user|logout"
)
_MISSING_SOCKET = rf"Cannot read properties of undefined \(reading '({_SOCKET})'\)"
# The number or name of a session that never logged in.
_NEVER_LOGGED_IN = r"Cannot read properties of undefined \(reading 'id'\)"
# A JavaScript error that is none of those: the server tripped over this very request, and would
# again.
_STUMBLED = (
    r"TypeError|RangeError|ReferenceError|SyntaxError|Cannot (read|set) properties of "
    r"|Cannot convert undefined or null|Cannot destructure|\bis not (a function|iterable|defined)\b"
)
# What fails for every request alike: the server's own database.
_DATABASE = (
    r"Can't reach database|database server|connection pool|Connection terminated|\bP10\d\d\b"
    r"|too many (clients|connections)"
)
_VERSION_1 = (
    r'requires property "((text|media|audio|sticker|status|poll|list|location|contact|reaction'
    r"|button|template)Message|options|read_messages|privacySettings|(reject|groups|always|read"
    r"|sync)_[a-z_]+)\"|Cannot read properties of undefined \(reading 'textMessage'\)"
)
_CHATBOT = (
    r"^You already have a .* trigger, you cannot|^[\w ]+ (is|are) required$"
    # Typebot: a chat on the list of those to ignore; no settings stored
    r"|^Jid not allowed$|^Cannot read properties of null \(reading 'expire'\)"
)
_CHATBOT_UNTOLD = (
    r"^Error (creating|updating|deleting) (Typebot|Openai|Dify|N8n|Evoai|Flowise|EvolutionBot)"
    r"( bot| creds)?$|^Error setting default settings$"
)
# What uploads to Meta fails there, whatever the file; only a URL is handed on (2.2.3, recorded).
_BY_URL_ONLY = (
    "Nothing was sent. Server 2.2 uploads no file on WHATSAPP-BUSINESS: give the file's URL, or "
    "upgrade the server"
)
_NOT_SENT = Phase.NOT_SENT
_UNKNOWN = Phase.UNKNOWN

# What /group routes put before the cause; all but creating do a single thing.
_GROUP = (
    r"^(Error (updating|update|fetching) |No (participants|invite code)|Accept invite error"
    r"|Revoke error|Unable to leave)"
)


# The base64 route (2.2.3 to 2.4.0-rc2) puts whatever failed into a 400, as text. All of it is about
# the one file, but for a missing socket, told above. From 2.3 on the server has tried twice itself.
def _about_one_file(words: str, advice: str) -> Rule:
    return Rule(
        errors.BadRequestError, pattern(words), (400,), habit="fetches_media", advice=advice
    )


_ABOUT_ONE_FILE = (
    # its own look-up failed (undefined), or the message was deleted (null)
    _about_one_file(
        r"Cannot read properties of (undefined|null) \(reading 'ephemeralMessage'\)",
        "The server's store has no content of this message: it was deleted, or the store could "
        "not be asked",
    ),
    _about_one_file(
        r"^Message not found$",
        "The server has not stored this message (DATABASE_SAVE_DATA_NEW_MESSAGE)",
    ),
    # the only object that is thrown inside: a conversion that failed
    _about_one_file(
        r"^\[object Object\]$", "The server could not convert this audio: see convert_to_mp4"
    ),
    _about_one_file(
        r"Failed to fetch stream|Media re-upload failed|status code 4(03|04|10)\b",
        "WhatsApp no longer has this file, and the sender's phone has not sent it again",
    ),
    _about_one_file(
        r"fetch failed|AggregateError|socket hang up"
        r"|\b(ENOTFOUND|EAI_AGAIN|ECONN[A-Z]+|ETIMEDOUT)\b",
        "The server could not reach WhatsApp's media servers: it needs outgoing HTTPS",
    ),
    _about_one_file(
        r"Cannot derive from empty media key|Cannot convert undefined or null|bad decrypt"
        r"|wrong final block length",
        "The message that the server stored has no key for its file, or a wrong one",
    ),
    # it waits for the phone that shall send the file again
    Rule(
        errors.ServerError,
        pattern(r"^Error: Timed Out$"),
        (400,),
        transient=True,
        concerns="call",
        habit="fetches_media",
    ),
)
RULES: tuple[Rule, ...] = (
    # /metrics has credentials of its own
    Rule(
        errors.AuthenticationError,
        pattern(r"^(Authentication required|Invalid credentials)$"),
        status=(401,),
        advice="Pass the server's METRICS_USER and METRICS_PASSWORD as user and password",
    ),
    Rule(errors.AuthenticationError, status=(401,)),
    Rule(errors.InstanceAlreadyExistsError, pattern(r"already in use"), status=(403,)),
    Rule(errors.PermissionDeniedError, status=(403,)),
    Rule(errors.PayloadTooLargeError, status=(413,)),
    # thrown before any route, whatever the request (`facts/semantics.md` §12)
    Rule(errors.PermissionDeniedError, pattern(r"^Not allowed by CORS")),
    Rule(errors.RateLimitError, status=(429,), phase=_NOT_SENT, transient=True),
    # the nested bodies of version 1 (`facts/semantics.md` §13)
    Rule(errors.ServerVersionError, pattern(_VERSION_1), status=(400,)),
    Rule(
        errors.BadRequestError,
        pattern(r"(^|; )\w+\.events\[\d+\] is not one of enum values"),
        status=(400,),
        when=lambda body: body.is_schema,
        advice="The number in brackets counts the events from 0: this version of the server does "
        "not know that one. Leave it out",
    ),
    Rule(errors.BadRequestError, when=lambda body: body.is_schema),
    Rule(errors.RateLimitError, pattern(r"rate-overlimit"), phase=_NOT_SENT, transient=True),
    # the channel cannot do it, said in four ways
    Rule(errors.ChannelNotSupportedError, pattern(r"Method not available (on|in)\b")),
    Rule(
        errors.ChannelNotSupportedError,
        pattern(r"(waInstances\[[\w.]+\]|\binstance)\.\w+ is not a function"),
    ),
    Rule(errors.FeatureDisabledError, pattern(r"^\w+ is disabled$")),
    Rule(
        errors.FeatureDisabledError,
        pattern(r"^Cannot GET /metrics$"),
        status=(404,),
        advice="Set PROMETHEUS_METRICS=true in the server's environment (from server 2.3 on; "
        "earlier ones have no metrics)",
    ),
    Rule(
        errors.ServerError,
        pattern(r"^Metrics authentication not configured$"),
        advice="Set METRICS_USER and METRICS_PASSWORD in the server's environment",
    ),
    # no working WhatsApp session: these fail before anything is written to the socket
    Rule(errors.InstanceNotConnectedError, pattern(r'^The ".*" instance is not connected')),
    Rule(
        errors.InstanceNotConnectedError,
        pattern(r"(^|; |Error: )Connection Closed(;|$)"),
        phase=_NOT_SENT,
        transient=True,
    ),
    # an inner TypeError of a send may come from after the send, unless the socket is missing
    Rule(
        errors.InstanceNotConnectedError,
        pattern(r"TypeError: Cannot read properties of undefined \(reading '(id|name)'\)"),
        status=(400,),
        phase=_UNKNOWN,
        transient=True,
        habit="reads_own_name",
    ),
    Rule(
        errors.InstanceNotConnectedError, pattern(_MISSING_SOCKET), phase=_NOT_SENT, transient=True
    ),
    Rule(
        errors.InstanceNotConnectedError,
        pattern(_NEVER_LOGGED_IN),
        status=(500,),
        phase=_NOT_SENT,
        transient=True,
        habit="reads_own_id",
    ),
    *_ABOUT_ONE_FILE,
    Rule(
        errors.InstanceNotConnectedError,
        status=(400,),
        phase=_NOT_SENT,
        transient=True,
        when=lambda body: body.is_blank,
    ),
    # what the server throws is an object, of which its own catch keeps no word
    Rule(
        errors.BadRequestError,
        pattern(r"^\[object Object\]$"),
        status=(400,),
        advice="It may be a group or number that WhatsApp does not know, or an instance that is "
        "not connected: see instances.connection_state()",
    ),
    Rule(
        errors.InstanceNotConnectedError,
        pattern(r"Cannot convert undefined or null to object"),
        phase=_NOT_SENT,
        habit="maps_list",
    ),
    Rule(
        errors.InstanceNotConnectedError,
        pattern(r"Illegal no-jid profile update"),
        phase=_NOT_SENT,
        habit="changes_own_picture",
    ),
    # the action is done, only the server's own note of it failed (`facts/semantics.md` §9)
    Rule(
        errors.ServerError,
        pattern(r"^Unable to (add|remove) label to chat; Prisma"),
        phase=_UNKNOWN,
        advice="WhatsApp has the change: only the server's own record of it failed",
    ),
    Rule(
        errors.ServerError, pattern(r"App state key not present"), (400,), _UNKNOWN, transient=True
    ),
    # the settings are stored before the connection is opened anew (2.2.3 to 2.4; not recorded on a
    # connected instance)
    Rule(
        errors.ServerError,
        pattern(r"^Cannot read properties of (undefined|null) \(reading 'ws'\)$"),
        (500,),
        _UNKNOWN,
        concerns="call",
        advice="The settings are stored. Only reopening the connection for wavoip_token failed: "
        "this instance has none",
    ),
    # one text for every failure, also after some of the messages have left
    Rule(errors.ServerError, pattern(r"^No send invite$"), (404,), _UNKNOWN, transient=True),
    Rule(
        errors.RecipientNotFoundError, pattern(r"^Number (is not on WhatsApp|not found)$"), (404,)
    ),
    # WhatsApp's answers about a group, under 400, 404 and 500 alike
    Rule(errors.PermissionDeniedError, pattern(rf"{_GROUP}.*; Error: (forbidden|not-authorized)$")),
    Rule(errors.NotFoundError, pattern(rf"{_GROUP}.*; Error: item-not-found$")),
    Rule(errors.NotFoundError, pattern(r"^Media not found$"), (400,)),
    # 2.4: what it throws itself is an object, any other failure has words
    Rule(
        errors.NotFoundError,
        pattern(r"^Error decrypting poll votes; \[object Object\]$"),
        (500,),
        advice="The server's store has no such poll in this chat",
    ),
    # 2.2.3: the url is demanded even to switch the webhook off
    Rule(
        errors.BadRequestError,
        pattern(r'^Invalid "url" property$'),
        (400,),
        advice="Pass a web address, also with enabled=False: see the stored one in webhook.find()",
    ),
    # Meta could not be reached; whether it had been asked already is not told
    Rule(errors.ServerError, pattern(r"^Connection error: "), (400,), _UNKNOWN, transient=True),
    Rule(errors.RouteNotFoundError, pattern(r"^Cannot [A-Z]+ /"), status=(404,)),
    Rule(
        errors.InstanceNotFoundError,
        pattern(r'instance does not exist$|^Instance (".*" )?not found$'),
    ),
    Rule(errors.NotFoundError, status=(404,)),
    # WhatsApp's own refusals before the message is written
    Rule(
        errors.ServerError,
        pattern(r"Media upload failed|SessionError: No sessions"),
        phase=_NOT_SENT,
        transient=True,
    ),
    Rule(
        errors.ServerError,
        pattern(r"^Timed Out$"),
        (500,),
        _NOT_SENT,
        transient=True,
        concerns="instance",
    ),
    Rule(
        errors.ServerError,
        pattern(r"Timed Out"),
        phase=_UNKNOWN,
        transient=True,
        concerns="instance",
    ),
    # a file that was sent in a form which this channel does not take, before anything is sent
    Rule(
        errors.ServerError,
        pattern(r"^(TypeError: )?Cannot read properties of undefined \(reading 'name'\)$"),
        (500,),
        _NOT_SENT,
        sends_only=True,
        concerns="call",
        habit="reads_own_name",
        advice=_BY_URL_ONLY,
    ),
    Rule(
        errors.BadRequestError,
        pattern(r"^File or buffer is undefined$"),
        (500,),
        advice=_BY_URL_ONLY,
    ),
    Rule(
        errors.BadRequestError,
        pattern(r"^File or buffer is undefined\.$"),
        (500,),
        advice="The EVOLUTION channel takes a voice note as an upload only: pass prefer='multipart'"
        ", without delay_ms",
    ),
    # the caller's mistakes that the server reports as 500
    Rule(
        errors.BadRequestError,
        pattern(
            r"^Unexpected (file )?field|^Invalid URL$|already exists$"
            r"|Prisma\w*ValidationError"
            # a minified server names another call before it: only the end tells
            # (`facts/versions/versions.md` "What the client gets wrong today" 4)
            r"|Argument `\w+`( is missing|: Invalid value provided)|Unknown argument `\w+`"
            r"|Cannot (read|set) properties of undefined \((reading 'length'|setting 'events')\)"
            # a document without a file name, whose mimetype is looked up by its extension
            r"|Cannot read properties of null \(reading '1'\)"
        ),
        (500,),
    ),
    # a chatbot's rules, and no such id: where one breaks inside, the text is the same for all
    Rule(errors.BadRequestError, pattern(_CHATBOT), (500,)),
    Rule(
        errors.BadRequestError,
        pattern(_CHATBOT_UNTOLD),
        (500,),
        advice="The server does not tell why: an id it does not know, one in use elsewhere, a bot "
        "with the same trigger or target, or no settings stored yet",
    ),
    Rule(
        errors.NotFoundError,
        pattern(r"^(Openai Creds|OpenAI credentials|Settings) not found"),
        (500,),
    ),
    # an unknown bot, in the words of 2.2.3
    Rule(
        errors.NotFoundError,
        pattern(r"^[\w ]+ not found$"),
        (500,),
        habit="looks_up_bot",
    ),
    # after the message left, the same catch answers 400: database, transcription, chatbots
    Rule(
        errors.BadRequestError,
        pattern(r"(^|; )(\w*Error: |\s*Invalid `)|Prisma"),
        (400,),
        _UNKNOWN,
        sends_only=True,
    ),
    # media is prepared before the send; its failures are the only ones with a list in a 500
    Rule(
        errors.ServerError,
        pattern(_STUMBLED),
        (500,),
        _NOT_SENT,
        sends_only=True,
        concerns="call",
        when=lambda body: isinstance(body.message, list),
        advice="The server cannot handle this file as it was given: nothing was sent",
    ),
    Rule(
        errors.ServerError,
        status=(500,),
        phase=_NOT_SENT,
        transient=True,
        sends_only=True,
        concerns="call",
        when=lambda body: isinstance(body.message, list),
    ),
    # the licence routes of 2.4; the form of this 502 is told apart before
    Rule(
        errors.ServerError,
        status=(502,),
        phase=_UNKNOWN,
        transient=True,
        concerns="call",
        advice="The server could not ask its maker's licence service: it needs outgoing HTTPS",
    ),
    Rule(errors.ServerError, pattern(_DATABASE), (500,), _UNKNOWN, transient=True),
    Rule(errors.ServerError, pattern(_STUMBLED), (500,), _UNKNOWN, concerns="call"),
    # a route's own words about what it was asked; a plain string may be about everything
    Rule(
        errors.ServerError,
        status=(500,),
        phase=_UNKNOWN,
        transient=True,
        concerns="call",
        when=lambda body: isinstance(body.message, list),
    ),
    Rule(
        errors.ServerError,
        pattern(r"^Error to create template$"),
        (500,),
        _UNKNOWN,
        transient=True,
        concerns="call",
        advice="Server 2.2 keeps Meta's answer to itself: see if the template is there, with "
        "templates.find()",
    ),
    Rule(
        errors.ServerError,
        pattern(r"^Error fetching models$"),
        (500,),
        _UNKNOWN,
        transient=True,
        concerns="call",
    ),
    Rule(errors.ServerError, status=(500,), phase=_UNKNOWN, transient=True),
    Rule(errors.BadRequestError),
)
