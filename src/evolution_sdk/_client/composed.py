"""One message, composed and checked: all that its send needs, before anything leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evolution_sdk._base.request import FilePart
from evolution_sdk.media._plan import MediaPlan
from evolution_sdk.models.message import SentMessage
from evolution_sdk.operations.operation import Operation

from .options import SendOptions

__all__ = ["Composed"]


@dataclass(frozen=True, slots=True)
class Composed:
    """A message as the client would send it now; its repr shows no content.

    Attributes:
        operation: The operation that sends it.
        body: What goes to the server, by the server's names: the JSON body, or the text fields
            beside ``file``. Small content stands in it as base64, under ``plan.field``.
        file: The file part of a multipart request; None when the body says everything.
        hold_ms: How long the server will hold its answer on purpose, in milliseconds.
        client_delay_ms: How long to wait on our side before the send, in milliseconds.
        options: The caller's options.
        known_options: The options that have an effect on this kind of message.
        plan: In which form the file goes out, with the file itself; None without one.
    """

    operation: Operation[SentMessage]
    body: Mapping[str, Any] = field(repr=False)
    file: FilePart | None = field(repr=False)
    hold_ms: float
    client_delay_ms: int
    options: SendOptions = field(repr=False)
    known_options: frozenset[str] = field(repr=False)
    plan: MediaPlan | None = field(repr=False)
