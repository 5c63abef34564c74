"""How the operations of one family are declared, a few lines each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, TypeVar, Unpack

from evolution_sdk._base.effect import Effect
from evolution_sdk.operations.operation import Auth, Channel, EmptyMeans, Operation, TimeoutKind

T = TypeVar("T")

BAILEYS: tuple[Channel, ...] = ("baileys",)
"""Channels of what only WhatsApp Web can do."""


class Traits(TypedDict, total=False):
    """What is not the same for most operations; see :class:`Operation`."""

    auth: Auth
    channels: tuple[Channel, ...]
    query: tuple[str, ...]
    timeout: TimeoutKind
    patience_ms: int
    empty_means: EmptyMeans
    content: Literal["json", "text"]


@dataclass(frozen=True, slots=True)
class Family:
    """A family of routes, which are ``/<group>/<route>/{instance}`` as a rule.

    Attributes:
        group: Its name in the server's route table.
    """

    group: str

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
        whole = route.startswith("/")
        return Operation(
            name=f"{self.group}.{name}",
            method=method,
            path=route if whole else f"/{self.group}/{route}/{{instance}}",
            effect=effect,
            read=read,
            **traits,
        )
