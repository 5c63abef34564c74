"""Files that this client fetches itself, and how a file given by a caller goes out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, Unpack

from evolution_sdk._base.request import Response
from evolution_sdk._client.compose import MediaLike, PlanChoices
from evolution_sdk._client.settings import transport_options
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media import MAX_OPEN_FILE_BYTES, MEDIA_LIMITS, Media
from evolution_sdk.media._plan import Base64, Download, MediaPlan, Url, plan_media
from evolution_sdk.media.fetching import check_url, encoded, host_is_listed, next_url, purpose_of
from evolution_sdk.operations.answers import downloaded
from evolution_sdk.operations.operation import Operation, file_rule
from evolution_sdk.transport.fetching import Fetch

from ._seam import Fetcher, Later, open_fetcher, run_blocking
from .ports import Ports

__all__ = ["Fetching", "as_text", "plan_file"]


class Fetching:
    """Fetches files by the rules: checked addresses, few redirects, bounded in size and time.

    Args:
        config: Names the hosts that are trusted, and gives time limits, TLS and proxy.
        ports: Time, for the limit of a whole fetch.

    Attributes:
        hosts: The hosts that are trusted.
        fetcher: Gets one answer; opened when it is first needed.
    """

    def __init__(self, config: EvolutionConfig, ports: Ports) -> None:
        self.hosts: tuple[str, ...] = config.media.fetch_hosts
        self.fetcher: Fetcher | None = None
        self._config = config
        self._monotonic = ports.monotonic

    async def get(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Get a file.

        Args:
            url: Where it is.
            limit_bytes: Most bytes of content.

        Returns:
            Its bytes, and its type as its host tells it.

        Raises:
            RequestValidationError: It could not be had, or is larger than allowed.
            TransportError: No answer came; no message had gone out.
        """
        return downloaded(await self._followed(url, limit_bytes, None, None), limit_bytes)

    async def stream(
        self,
        url: str,
        limit_bytes: int,
        sink: Callable[[bytes], Later[None]],
        allowed: Callable[[str], bool] | None = None,
    ) -> str | None:
        """Get a file piece by piece.

        Args:
            url: Where it is.
            limit_bytes: Most bytes of content.
            sink: Takes the pieces; what it raises ends the fetch.
            allowed: Tells if a URL may be asked, also one that an answer redirects to. None: all.

        Returns:
            Its type as its host tells it.

        Raises:
            RequestValidationError: It could not be had, or is larger than allowed.
            TransportError: No answer came, or it broke off.
        """
        answer = await self._followed(url, limit_bytes, sink, allowed)
        _, content_type = downloaded(answer, limit_bytes)
        return content_type

    async def _followed(
        self,
        url: str,
        limit_bytes: int,
        sink: Callable[[bytes], Later[None]] | None,
        allowed: Callable[[str], bool] | None,
    ) -> Response:
        """Ask for a URL, and for those that it redirects to."""
        found, followed = encoded(check_url(url)), 0
        if self.fetcher is None:
            self.fetcher = open_fetcher(transport_options(self._config, None, None), purpose_of)
        times = self._config.timeout
        ends = self._monotonic() + times.media_ms / 1_000
        while True:
            if allowed is not None and not allowed(found):
                raise RequestValidationError("media", "the URL leads to a host that is not asked")
            left_ms = max(0.0, (ends - self._monotonic()) * 1_000)
            trusted = host_is_listed(found, self.hosts)
            fetch = Fetch(found, trusted, limit_bytes, times.connect_ms, left_ms)
            asked = self.fetcher.get(fetch) if sink is None else self.fetcher.stream(fetch, sink)
            answer = await asked
            target = next_url(found, answer.status, answer.headers, followed)
            if target is None:
                return answer
            found, followed = target, followed + 1


class FileSource(Protocol):
    """Fetches files for a client."""

    @property
    def fetching(self) -> Fetching:
        """The rules in force."""
        ...

    async def download(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Fetch a file from elsewhere."""
        ...


async def plan_file(
    files: FileSource,
    operation: Operation[Any],
    value: MediaLike,
    argument: str,
    *,
    file_name: str | None = None,
    mime_type: str | None = None,
    delay_ms: int | None = None,
    **choices: Unpack[PlanChoices],
) -> MediaPlan:
    """Decide the form of what a caller gave as a file; fetch it where the caller said so.

    Args:
        files: Fetches a file where the caller said so, and knows the trusted hosts.
        operation: The operation that takes the file.
        value: The file.
        argument: The caller's name for it.
        file_name: What the recipient sees.
        mime_type: Its type.
        delay_ms: The wanted ``delay``, in milliseconds.
        **choices: What the kind of message decides, see ``plan_media``.

    Returns:
        The plan; nothing is left to fetch.

    Raises:
        RequestValidationError: The file breaks a rule, or could not be had; nothing was sent.
        TransportError: No answer came from the file's host; nothing was sent.
    """
    hosts, rule = files.fetching.hosts, file_rule(operation)
    try:
        take = partial(Media.of, value, file_name=file_name, mime_type=mime_type)
        # Only an open file is read by this; a text, bytes or a path are quick.
        quick = isinstance(value, Media | str | bytes)
        media = take() if quick else await run_blocking(take)
        plan = plan_media(rule, media, delay_ms=delay_ms, fetch_hosts=hosts, **choices)
        if isinstance(plan.content, Download):
            limit = min(MEDIA_LIMITS[plan.kind], MAX_OPEN_FILE_BYTES)  # it is held in memory
            data, content_type = await files.download(plan.content.url, limit)
            fetched = media.downloaded(data, content_type)
            plan = plan_media(rule, fetched, delay_ms=delay_ms, **choices)
    except RequestValidationError as error:
        named = _ARGUMENTS.get(error.field, argument if error.field == "media" else error.field)
        if named == error.field:
            raise
        raise RequestValidationError(named, error.rule) from None
    return plan


# Arguments of the methods that are called otherwise in `media`, or on the wire.
_ARGUMENTS = {"mime_type": "mimetype", "thumbnailUrl": "thumbnail_url"}


async def as_text(plan: MediaPlan) -> str | None:
    """Name the file as a JSON body does; None when it goes as a part of its own."""
    content = plan.content
    if isinstance(content, Url):
        return content.url
    return await run_blocking(content.text) if isinstance(content, Base64) else None
