"""Declares the operations of one family, a few lines each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict, TypeVar, Unpack

from evolution_sdk._base.effect import Effect
from evolution_sdk.media._plan import MediaForm, MediaRule
from evolution_sdk.operations.error_facts import USUAL_ERRORS, ErrorFacts
from evolution_sdk.operations.operation import (
    Auth,
    CacheKind,
    Channel,
    Content,
    EmptyMeans,
    Operation,
    Pace,
    SentKind,
    TimeoutKind,
)

T = TypeVar("T")

NO_MULTIPART: frozenset[MediaForm] = frozenset({MediaForm.URL, MediaForm.BASE64})
"""Forms of a file where the server ignores the file part of a multipart request."""

BAILEYS: tuple[Channel, ...] = ("baileys",)
"""Channels of what only WhatsApp Web can do."""


class Traits(TypedDict, total=False):
    """The facts in which few operations differ from the rest; see :class:`Operation`."""

    auth: Auth
    channels: tuple[Channel, ...]
    query: tuple[str, ...]
    timeout: TimeoutKind
    patience_ms: int
    empty_means: EmptyMeans
    content: Content
    since: str
    until: str | None
    fields_since: Mapping[str, str]
    fields_renamed: Mapping[str, tuple[str, str]]
    licensing: bool
    called_as: str
    session: bool
    paced_as: Pace | None
    media: MediaRule | None
    recognised_as: SentKind | None
    message_id_on: tuple[Channel, ...]
    cached_as: CacheKind | None
    invalidates: tuple[CacheKind, ...]
    teaches_lids: bool
    teaches_accounts: bool
    teaches_version: bool
    takes_events: bool
    slow: bool
    errors: ErrorFacts


class Family:
    """A family of routes, which are ``/<group>/<route>/{instance}`` as a rule.

    Args:
        group: Its name in the server's route table.
        session: Whether its routes go through the instance's connection to WhatsApp.
        since: First server version that has them.
        errors: What is special about its error answers.

    The arguments are what holds for the whole family; one operation may say otherwise.
    """

    def __init__(
        self, group: str, *, session: bool, since: str = "2.0", errors: ErrorFacts = USUAL_ERRORS
    ) -> None:
        self.group = group
        self._usual: Traits = {"session": session, "since": since, "errors": errors}

    def __call__(
        self,
        name: str,
        method: str,
        route: str,
        effect: Effect,
        read: Callable[[Any], T],
        **traits: Unpack[Traits],
    ) -> Operation[T]:
        """Declare one operation.

        Args:
            name: Its name within the family.
            method: HTTP method.
            route: The part of the path between family and instance; a whole path begins with a
                slash.
            effect: What an accepted call does.
            read: Builds the result.
            **traits: The rest.

        Returns:
            The operation.
        """
        facts: Traits = {**self._usual, **traits}
        whole = route.startswith("/")
        return Operation(
            name=f"{self.group}.{name}",
            method=method,
            path=route if whole else f"/{self.group}/{route}/{{instance}}",
            effect=effect,
            read=read,
            **facts,
        )
