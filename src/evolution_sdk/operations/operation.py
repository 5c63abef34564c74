"""One operation of the server, declared once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic_core import from_json

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._base.redact import NO_DETAIL
from evolution_sdk.errors import (
    ChannelNotSupportedError,
    EvolutionAPIError,
    EvolutionError,
    FeatureDisabledError,
    InstanceNotConnectedError,
    MetaAPIError,
    RequestValidationError,
    ServerError,
    UnexpectedResponseError,
)

from .error_facts import USUAL_ERRORS, ErrorFacts

if TYPE_CHECKING:
    from evolution_sdk.media._plan import MediaRule

T = TypeVar("T")
U = TypeVar("U")

Auth = Literal["none", "global", "instance"]
Channel = Literal["baileys", "business", "evolution"]
CacheKind = Literal["number", "group", "picture"]
Pace = Literal["messages", "checks"]
SentKind = Literal[
    "text", "media", "ptv", "whatsapp_audio", "status", "sticker", "location", "contact",
    "reaction", "poll", "list", "buttons", "carousel", "template",
]  # fmt: skip
Content = Literal["json", "text", "any"]
EmptyMeans = Literal["disabled", "nothing", "refused", "failed", "unexpected"]
ALL_CHANNELS: tuple[Channel, ...] = ("baileys", "business", "evolution")

_ALWAYS = ("1.0", "2.0")
_OK = range(200, 300)
_REDIRECTS = range(300, 400)
# These hand the request on to another address; 303 and the rest may follow something done.
_MOVED = frozenset({301, 302, 307, 308})
_CREATED = 201
_NOT_A_SEND = (
    "The server answers 201 to a message it has taken: something else answered in its place. "
    "Check EVOLUTION_API_URL and the proxies in between."
)
_NO_STATUS = 1_000
_WEB_PAGE = "A web page answered. Check EVOLUTION_API_URL: it must be the API's base URL."
_EMPTY_FAILURES: Mapping[
    Literal["disabled", "refused", "failed"], tuple[type[EvolutionAPIError], str]
] = {
    "disabled": (FeatureDisabledError, "empty answer"),
    "refused": (MetaAPIError, "Meta refused, and the server does not pass on why"),
    "failed": (
        ServerError,
        "The server could not finish it, and does not say what it had done by then",
    ),
}


class TimeoutKind(StrEnum):
    """The configured time limit that covers waiting for the answer."""

    READ = "read"
    SEND = "send"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """A successful answer.

    Attributes:
        value: The typed result.
        drift: Wire names that did not fit the model, empty in the normal case.
    """

    value: T
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T]):
    """One route: what it is called, where it is, what it does and what it answers.

    Attributes:
        name: Its key, ``<group>.<name>`` as in the server's route table; also the key of retry
            rules, metrics, logs and faults.
        method: HTTP method.
        path: Path template; ``{instance}`` is filled with the percent-encoded name.
        effect: What an accepted call does; decides what may be retried.
        auth: Which key it needs: none, the global one, or the instance's (where the global one
            works too).
        channels: Channels that can do it.
        read: Builds the result from decoded JSON; never raises.
        query: The only query keys it takes. Others are never sent, because the server lets
            query keys overwrite the path after it has checked the key (`facts/semantics.md` §1).
        timeout: Which limit covers waiting for the answer.
        patience_ms: Time the server is known to take on its own, added to that limit.
        empty_means: What a 2xx answer without a body means: the feature is switched off, there is
            nothing to tell, Meta refused, another service failed, or nothing that is known.
        content: What a 2xx answer holds; ``read`` gets plain text as it is. ``any`` is JSON, or
            else text.
        since: First server version that has the route.
        until: First server version that no longer has it; None while it is there.
        fields_since: Fields of its body that came later, with the first version that heeds them;
            earlier ones ignore them. A dot leads into a member.
        fields_renamed: Fields of its body that had another name before: the version that brought
            the new one, and the old name.
        licensing: True for a route that came with the licence of the server.
        called_as: The method of the client, such as ``messages.send_text``; empty where it is
            named by the rule of :func:`~evolution_sdk.operations.methods.method_of`.
        session: True if it goes through the instance's connection to WhatsApp. Everything else
            the server answers from its database, or it repairs the connection, which must stay
            possible (`facts/endpoints.json`).
        paced_as: The rate limit it counts for; None for none.
        media: How a file travels in it; None where it takes none.
        recognised_as: The kind of message it leaves in the server's store, by which a send whose
            answer was lost is found again; None for what is no message.
        message_id_on: The channels on which the server takes a message id chosen by the client,
            if its version takes any; empty where none does.
        cached_as: The kind of thing that its answer says, for the cache; None where none is kept.
        invalidates: Kinds of kept answers, about the group it names, that it makes stale.
        teaches_lids: True if its answers tell which hidden id belongs to which phone number.
        teaches_accounts: True if its answers tell which account an instance is logged in to.
        teaches_version: True if its answer tells the server's version.
        takes_events: True if its body may name events, which not every version knows.
        slow: True if the server needs long for it on purpose or by design; its time says nothing
            about the server's health.
        errors: What is special about its error answers.
    """

    name: str
    method: str
    path: str
    effect: Effect
    read: Callable[[Any], T] = field(repr=False)
    auth: Auth = "instance"
    channels: tuple[Channel, ...] = ALL_CHANNELS
    query: tuple[str, ...] = ()
    timeout: TimeoutKind = TimeoutKind.READ
    patience_ms: int = 0
    empty_means: EmptyMeans = "unexpected"
    content: Content = "json"
    since: str = "2.0"
    until: str | None = None
    fields_since: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    fields_renamed: Mapping[str, tuple[str, str]] = field(
        default_factory=dict[str, tuple[str, str]], repr=False
    )
    licensing: bool = False
    called_as: str = ""
    session: bool = False
    paced_as: Pace | None = None
    media: MediaRule | None = field(default=None, repr=False)
    recognised_as: SentKind | None = None
    message_id_on: tuple[Channel, ...] = ()
    cached_as: CacheKind | None = None
    invalidates: tuple[CacheKind, ...] = ()
    teaches_lids: bool = False
    teaches_accounts: bool = False
    teaches_version: bool = False
    takes_events: bool = False
    slow: bool = False
    errors: ErrorFacts = field(default=USUAL_ERRORS, repr=False)

    @property
    def newer(self) -> bool:
        """True if not every server of version 2 has the route."""
        return self.since not in _ALWAYS or self.until is not None

    @property
    def group(self) -> str:
        """The family of routes, such as ``message``."""
        return self.name.partition(".")[0]

    def parse(self, status: int, body: bytes) -> T:
        """Turn an HTTP answer into the typed result. Pure.

        Args:
            status: HTTP status.
            body: The body as received.

        Returns:
            The result. A 2xx answer that does not fit its model is the model all the same, with
            ``raw`` as received and the misfits named in ``drift``.

        Raises:
            EvolutionAPIError: The exact subclass for what the server said, also when it said it
                inside a 2xx.
            UnexpectedResponseError: Something answered that is not the Evolution API.
        """
        return self.decode(status, body).value

    def decode(self, status: int, body: bytes) -> Decoded[T]:
        """Like :meth:`parse`, and tell what did not fit.

        Raises:
            EvolutionAPIError: As :meth:`parse`.
            UnexpectedResponseError: As :meth:`parse`.
        """
        if type(status) is not int or not 0 <= status < _NO_STATUS:
            raise RequestValidationError("status", "must be an HTTP status, such as 200")
        if not isinstance(body, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise RequestValidationError("body", f"must be bytes, not {type(body).__name__}")
        if status not in _OK:
            raise self._failure(status, body)
        # An empty 2xx means something else on each route (envelope H): the declaration says what.
        if not body.strip():
            return self._without_body(status)
        if self.content == "text":
            return self._plain_text(status, body.decode("utf-8", "replace"))
        try:
            data = self._decoded(body)
        except ValueError:
            if self.content == "any":
                return self._plain_text(status, body.decode("utf-8", "replace"))
            return self._not_json(status, body)
        # Before the model reads it: models accept any shape, so that a failure would pass as a
        # result.
        if is_object(data):
            self._refuse_hidden_failure(status, data)
        if self._is_alien(status, data):
            raise self._unexpected(status, data, _NOT_A_SEND)
        value = self.read(data)
        return Decoded(value, drift_of(value))

    def _decoded(self, body: bytes) -> Any:
        # A reader of few members of a long answer brings a decoder of its own.
        pick: Callable[[bytes], Any] | None = getattr(self.read, "pick", None)
        if pick is not None:
            try:
                return pick(body)
            except ValueError:
                pass  # it may be JSON all the same, as only JavaScript writes it
        return decode_json(body)

    def _failure(self, status: int, body: bytes) -> EvolutionError:
        text = body.decode("utf-8", "replace").strip()
        if status in _REDIRECTS:
            hint = "The server redirects; use the address it redirects to (https, no prefix)."
            # Only the statuses in _MOVED prove that the request was not acted upon.
            phase = Phase.NOT_SENT if status in _MOVED else Phase.UNKNOWN
            return self._unexpected(status, text, hint, phase)
        try:
            data = decode_json(body)
        except ValueError:
            return self._plain_failure(status, text)
        # Loaded with the first failure: the table is large, and most calls succeed.
        from .classify import classify

        error = classify(status, data, self.name, self.effect, self.errors)
        if isinstance(error, ChannelNotSupportedError) and self.channels != ALL_CHANNELS:
            error.name_channels(self.channels)
        return error

    def _plain_failure(self, status: int, text: str) -> EvolutionError:
        """Judge a proxy's own answer, mostly; its status is all there is to go by."""
        from .classify import classify
        from .own_words import is_own, is_passing, is_refusal, page_title

        known = status in (401, 403, 413, 429) or is_own(status, text, self.effect, self.errors)
        if not known and not is_passing(status):
            hint = "Check EVOLUTION_API_URL: it must be the server's base URL."
            phase = Phase.NOT_SENT if is_refusal(status) else Phase.UNKNOWN
            return self._unexpected(status, text, hint, phase)
        # The heading of a proxy's page says enough; the whole page stays in raw.
        words = page_title(text) if _is_page(text) else text
        error = classify(status, words, self.name, self.effect, self.errors)
        error.raw = text
        return error

    def _unexpected(
        self, status: int, raw: Any, hint: str, phase: Phase = Phase.UNKNOWN
    ) -> UnexpectedResponseError:
        error = UnexpectedResponseError(status, self.name, raw, hint)
        error.effect, error.phase = self.effect, phase
        return error

    def _without_body(self, status: int) -> Decoded[T]:
        if self.empty_means == "nothing":
            return Decoded(self.read(None))
        if self.empty_means != "unexpected":
            kind, told = _EMPTY_FAILURES[self.empty_means]
            failure = kind(status, (told,), self.name, raw="")
            failure.effect, failure.transient = self.effect, False
            raise failure
        if self._is_alien(status, None):
            raise self._unexpected(status, "", _NOT_A_SEND)
        if self.effect is Effect.SEND:
            # A completed send must not raise: the caller might send again.
            value = self.read("")
            return Decoded(value, drift_of(value) or ("(empty body)",))
        raise self._unexpected(status, "", "The answer was empty.")

    def _plain_text(self, status: int, text: str) -> Decoded[T]:
        if _is_page(text):
            raise self._unexpected(status, text, _WEB_PAGE)
        return Decoded(self.read(text))

    def _not_json(self, status: int, body: bytes) -> Decoded[T]:
        """A completed send must not raise; anything else may be asked for again."""
        text = body.decode("utf-8", "replace")
        if self.effect is Effect.SEND and not self._is_alien(status, text):
            value = self.read(text)
            return Decoded(value, drift_of(value) or ("(not JSON)",))
        if _is_page(text):
            raise self._unexpected(status, text, _WEB_PAGE)
        error = self._unexpected(status, text, "The answer was cut off or damaged on its way.")
        error.transient = True
        raise error

    def _is_alien(self, status: int, data: Any) -> bool:
        """Tell a success that the server did not write: it takes every message with 201.

        A message id tells as much, should a gateway have changed the status.
        """
        if self.effect is not Effect.SEND or status == _CREATED:
            return False
        if self.recognised_as is None:
            return isinstance(data, str) and _is_page(data)
        return not (is_object(data) and is_object(data.get("key")))

    def _refuse_hidden_failure(self, status: int, data: Any) -> None:
        """Raise for the two failures that the server reports as a success (envelopes E and F)."""
        sends = self.effect is Effect.SEND
        if data.get("error") is True and not is_object(data.get("key")):
            # Only connect and restart answer so; from a route that sends, it is somebody else's.
            if sends:
                raise self._unexpected(status, data, _NOT_A_SEND)
            raise self._error_inside_success(status, data)
        if (
            sends
            and status == _CREATED
            and "key" not in data
            and isinstance(data.get("message"), str)
            and ("code" in data or "type" in data or "fbtrace_id" in data)
        ):
            from .classify import meta_error

            error = meta_error(status, data, self.name)
            error.effect = self.effect
            raise error

    def _error_inside_success(self, status: int, data: Any) -> EvolutionAPIError:
        """Connect and restart answer 200 with ``error: true``; restart of a closed one does."""
        from .classify import classify_hidden
        from .envelopes import read_error

        found = classify_hidden(400, data, self.name, self.effect, self.errors)
        texts = read_error(data).messages
        if not texts or texts == (NO_DETAIL,):
            found = InstanceNotConnectedError(status, texts, self.name, raw=data)
            found.phase, found.transient, found.effect = Phase.ANSWERED, False, self.effect
        found.status = status
        return found


def read_as(operation: Operation[Any], read: Callable[[Any], U]) -> Operation[U]:
    """Return the same operation with another reader, and so another result.

    Args:
        operation: The operation.
        read: Builds the result.
    """
    # The type checkers take a replaced reader for one of the same result.
    same: Any = operation
    other: Operation[U] = replace(same, read=read)
    return other


def file_rule(operation: Operation[Any]) -> MediaRule:
    """Return how files travel in an operation that takes one.

    Raises:
        TypeError: It declares that it takes none.
    """
    if operation.media is None:
        raise TypeError(f"{operation.name} takes no file: declare media=MediaRule(…)")
    return operation.media


def sent_kind(operation: Operation[Any]) -> SentKind:
    """Return the kind of message that a send leaves in the store.

    Raises:
        TypeError: It declares that it leaves none.
    """
    if operation.recognised_as is None:
        raise TypeError(f"{operation.name} leaves no message: declare recognised_as=…")
    return operation.recognised_as


def _is_page(text: str) -> bool:
    """Tell if the answer is a web page, such as a proxy's."""
    return text.lstrip().startswith("<")


def decode_json(body: bytes) -> Any:
    """Decode JSON as JavaScript writes it, which may hold halves of surrogate pairs.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return from_json(body)
    except ValueError:
        try:
            # The fast parser refuses lone surrogates, which JavaScript writes; json takes them.
            return json.loads(body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def drift_of(value: Any) -> tuple[str, ...]:
    """List what did not fit, for a model or a list of models."""
    if is_array(value):
        return tuple(dict.fromkeys(name for item in value for name in drift_of(item)))
    found: tuple[str, ...] = getattr(value, "drift", ())  # of a model; texts have none
    return found
