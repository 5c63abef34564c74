"""Choice of the form in which a file goes to the server: URL, base64, or multipart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Literal

from evolution_sdk._base.request import FilePart
from evolution_sdk.errors import RequestValidationError

from ._media import Media
from ._types import UNKNOWN_TYPE, MediaKind
from ._urls import host_is_listed, why_not_handed_over, why_server_refuses


class MediaForm(StrEnum):
    """The forms in which the server accepts a file."""

    URL = "url"
    BASE64 = "base64"
    MULTIPART = "multipart"


_URL, _BASE64, _MULTIPART = MediaForm.URL, MediaForm.BASE64, MediaForm.MULTIPART
_ALL = frozenset(MediaForm)


@dataclass(frozen=True, slots=True)
class MediaRule:
    """The media that one operation accepts.

    Attributes:
        field: Name of its body field for a URL or base64.
        kind: The kind it always sends, or None if the caller chooses.
        forms: The forms that work.
        only: Restricted forms for a kind or a variant of the call, by its name.
    """

    field: str
    kind: MediaKind | None = None
    forms: frozenset[MediaForm] = _ALL
    only: Mapping[str, frozenset[MediaForm]] = dataclass_field(
        default_factory=dict[str, frozenset[MediaForm]]
    )


_MB = 1024 * 1024
MEDIA_LIMITS: Mapping[MediaKind, int] = {
    MediaKind.IMAGE: 16 * _MB,
    MediaKind.VIDEO: 64 * _MB,
    MediaKind.AUDIO: 16 * _MB,
    MediaKind.DOCUMENT: 2048 * _MB,
}
"""Limits per kind in bytes: generous bounds against mistakes. The server checks only its limit on
JSON, and WhatsApp may reject smaller files."""

MULTIPART_THRESHOLD_BYTES = 64 * 1024
"""Size from which content goes as multipart: base64 is a third larger on the wire, and takes
several times the memory here (``benchmarks/payloads.py``). Below it, a part's headers cost more."""

_MOST_IN_JSON_BYTES = 1_500_000
"""Size up to which content stays base64 if JSON can express more: with a delay "typing…" is shown,
and a quoted message that the server has not stored is still quoted. The server's check of base64
overflows its stack at 2.7 MB."""

MAX_BASE64_BYTES = 136 * _MB // 4 * 3 - 64 * 1024
"""Most bytes that fit, as base64 with the other fields, into the server's 136 MB of JSON."""

# The kinds of file that fit a kind of message. Voice notes can be made from videos, too.
_SENDABLE: Mapping[MediaKind, frozenset[MediaKind]] = {
    MediaKind.IMAGE: frozenset({MediaKind.IMAGE}),
    MediaKind.VIDEO: frozenset({MediaKind.VIDEO}),
    MediaKind.AUDIO: frozenset({MediaKind.AUDIO, MediaKind.VIDEO}),
    MediaKind.DOCUMENT: frozenset(MediaKind),
}


@dataclass(frozen=True, slots=True)
class Url:
    """Put the URL into the body field; the server fetches it."""

    url: str = dataclass_field(repr=False)


@dataclass(frozen=True, slots=True)
class Base64:
    """Put ``text()`` into the body field."""

    media: Media

    def text(self) -> str:
        """Return the content as bare base64."""
        return self.media.read_base64()


@dataclass(frozen=True, slots=True)
class Multipart:
    """Send a multipart request with this part, without the body field."""

    part: FilePart


@dataclass(frozen=True, slots=True)
class Download:
    """Fetch the URL with this client, then plan ``media.downloaded(content, content_type)``.

    Only for a URL for which the caller asks for it, or whose host the settings name.
    """

    url: str = dataclass_field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """The plan for sending one file.

    Attributes:
        content: The form.
        field: Body field that a URL or base64 goes into.
        kind: The kind it is sent as (the server's ``mediatype``).
        file_name: File name, to be sent if the operation has such a field: it decides the announced
            type.
        mime_type: The type, or None if it is unknown.
        server_delay_ms: ``delay`` for the body in milliseconds, or None.
        client_delay_ms: Time that the client waits instead before sending, in milliseconds.
    """

    content: Url | Base64 | Multipart | Download
    field: str
    kind: MediaKind
    file_name: str
    mime_type: str | None
    server_delay_ms: int | None = None
    client_delay_ms: int = 0


def plan_media(
    rule: MediaRule,
    media: Media,
    *,
    kind: MediaKind | str | None = None,
    variants: Iterable[str] = (),
    delay_ms: int | None = None,
    prefer: Literal["base64", "multipart"] | None = None,
    multipart_threshold_bytes: int = MULTIPART_THRESHOLD_BYTES,
    quotes_content: bool = False,
    allow_url: bool = True,
    allow_base64: bool = True,
    allow_multipart: bool = True,
    limits: Mapping[MediaKind, int] | None = None,
    fetch_hosts: Collection[str] = (),
) -> MediaPlan:
    """Plan the transfer of a file to the server, without reading or fetching it.

    Args:
        rule: The media that the operation accepts.
        media: The file.
        kind: Kind to send it as. Default: the operation's kind, or else the file's own.
        variants: Special features of the call: ``unencoded`` (``encoding=false``),
            ``unconverted`` (``notConvertSticker``), ``evolution`` (that channel).
        delay_ms: The requested ``delay`` in milliseconds. A multipart request cannot carry it (its
            fields are texts, but the server demands a number), so the client has to wait instead.
        prefer: Base64 or multipart if both work, whatever the size; otherwise ignored.
        multipart_threshold_bytes: Size in bytes from which content goes as multipart if possible.
        quotes_content: Whether the call quotes a message with its content, of which multipart
            carries only the id.
        allow_url: Whether a URL may be left to the server.
        allow_base64: Whether base64 may be used.
        allow_multipart: Whether multipart may be used; not when the call has fields that are
            neither text nor lists of text.
        limits: Limits per kind in bytes, instead of those in ``MEDIA_LIMITS``.
        fetch_hosts: Hosts (``minio``, ``10.0.0.5:9000``) whose files this client fetches.

    Returns:
        The plan.

    Raises:
        RequestValidationError: The operation cannot take this file; ``field`` is the body field.
    """
    final = rule.kind or _chosen_kind(kind) or media.kind
    if prefer not in (None, "base64", "multipart"):
        raise RequestValidationError("prefer", "must be 'base64', 'multipart' or None")
    working = rule.forms
    for name in (final.value, *variants):
        working &= rule.only.get(name, _ALL)
    allowed = {_URL: allow_url, _BASE64: allow_base64, _MULTIPART: allow_multipart}
    _check_fit(rule.field, media, final, {**MEDIA_LIMITS, **(limits or {})})
    # ``working`` is what the server can take, ``forms`` what this call may use of it.
    forms = {form for form in working if allowed[form]}
    content: Url | Download | Base64 | Multipart | str = ""
    if media.url is not None:
        content = _choose_url(media, media.url, forms, fetch_hosts)
    elif forms - {_URL}:
        # JSON can carry both, multipart neither: stay with base64 for longer.
        if delay_ms or quotes_content:
            multipart_threshold_bytes = max(multipart_threshold_bytes, _MOST_IN_JSON_BYTES)
        content = _choose(rule.field, media, final, forms, prefer, multipart_threshold_bytes)
    if isinstance(content, str):
        raise RequestValidationError(rule.field, content or _refusal(final, working))
    # A multipart request cannot carry the delay, so the client waits.
    paced_here = isinstance(content, Multipart)
    return MediaPlan(
        content,
        rule.field,
        final,
        media.name_for(final),
        None if media.mime_type == UNKNOWN_TYPE else media.mime_type,
        server_delay_ms=None if paced_here else delay_ms,
        client_delay_ms=(delay_ms or 0) if paced_here else 0,
    )


def _chosen_kind(kind: MediaKind | str | None) -> MediaKind | None:
    try:
        return None if kind is None else MediaKind(kind)
    except ValueError:
        rule = f"must be one of {', '.join(MediaKind)}"
        raise RequestValidationError("mediatype", rule) from None


def _check_fit(
    field_name: str, media: Media, kind: MediaKind, limits: Mapping[MediaKind, int]
) -> None:
    # An unknown type passes: the caller may know better than the name tells.
    if media.kind not in _SENDABLE[kind] and media.mime_type != UNKNOWN_TYPE:
        raise RequestValidationError(field_name, f"must be {kind} content, is {media.mime_type}")
    if media.size is not None and media.size > limits[kind]:
        raise RequestValidationError(
            field_name, f"must have at most {limits[kind]} bytes as {kind}, has {media.size}"
        )


def _choose_url(
    media: Media,
    url: str,
    forms: set[MediaForm],
    fetch_hosts: Collection[str],
) -> Url | Download | str:
    """Pass a URL on, or plan its download if that was asked for; or return the reason why not."""
    # The URL may be a stranger's text: addresses inside a network are used only on explicit choice.
    as_content = bool(forms - {_URL})
    listed = host_is_listed(url, fetch_hosts)
    if media.fetch == "local" or (media.fetch is None and listed and as_content):
        return Download(url) if as_content else ""
    refused = why_server_refuses(url)
    doubt = None if listed or media.fetch == "server" else why_not_handed_over(url)
    if _URL in forms and refused is None and doubt is None:
        return Url(url)
    if refused is not None and not as_content:
        return ""
    if _URL in forms and refused is None:
        return (
            f"is {doubt}, which the server would look for on itself or in its own network; if you "
            f"mean that, use Media.from_url(…, fetch='server'){_NAMED_HOST if as_content else ''}"
        )
    # Each reason ends with the way out that works for it.
    why = f"the server takes no URL with {refused}" if _URL in forms else "takes no URL here"
    return f"{why}: pass the content{_NAMED_HOST if refused or doubt else _FETCH_LOCALLY}"


_FETCH_LOCALLY = ", or let this client fetch it: Media.from_url(…, fetch='local')"
_NAMED_HOST = ", or let this client fetch it: name its host in EVOLUTION_MEDIA_FETCH_HOSTS"


def _choose(
    field_name: str,
    media: Media,
    kind: MediaKind,
    forms: set[MediaForm],
    prefer: Literal["base64", "multipart"] | None,
    threshold: int,
) -> Base64 | Multipart:
    content_forms = forms - {_URL}
    size = media.size or 0
    if len(content_forms) > 1:
        large = size >= threshold
        wanted = MediaForm(prefer) if prefer else (_MULTIPART if large else _BASE64)
    else:
        (wanted,) = content_forms
    # Beyond the server's limit on JSON, base64 is not possible even if preferred.
    if wanted is _BASE64 and size > MAX_BASE64_BYTES:
        if _MULTIPART not in content_forms:
            raise RequestValidationError(
                field_name, f"must have at most {MAX_BASE64_BYTES} bytes here, has {size}"
            )
        wanted = _MULTIPART
    return Multipart(media.file_part(kind)) if wanted is _MULTIPART else Base64(media)


def _refusal(kind: MediaKind, working: frozenset[MediaForm]) -> str:
    if working == frozenset({_URL}):
        return (
            f"{kind} must be a URL that the server can reach: nothing else is accepted here, "
            "and its host must have a dot"
        )
    return f"{kind} cannot be sent in any form that works and is allowed for this call"
