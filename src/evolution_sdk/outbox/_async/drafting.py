"""From the call of a method to a draft: composed and checked by the client's own rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from evolution_sdk._async._seam import Later, run_blocking
from evolution_sdk._async.pipeline import Pipeline
from evolution_sdk._async.resources.messages import AsyncMessagesApi
from evolution_sdk._client.composed import Composed
from evolution_sdk.config import OutboxConfig
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.operations.target import Target
from evolution_sdk.outbox.composing import draft_of
from evolution_sdk.outbox.handing_over import OutboxDraft
from evolution_sdk.outbox.options import OwnOptions
from evolution_sdk.outbox.store import OutboxStore

__all__ = ["DraftMaker"]


class DraftMaker:
    """Makes drafts of messages.

    Args:
        pipeline: Of the client whose rules count.
        store: Where the messages will be kept.
        settings: The settings.
        instance: The client's instance; None for none.
    """

    def __init__(
        self, pipeline: Pipeline, store: OutboxStore, settings: OutboxConfig, instance: str | None
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._settings = settings
        self._instance = instance

    async def make(
        self, own: OwnOptions, compose: Callable[[AsyncMessagesApi], Later[Any]]
    ) -> OutboxDraft:
        """Check and compose a message, and read its file.

        Args:
            own: The outbox's options.
            compose: Composes the message, given the client's family of messages.

        Raises:
            RequestValidationError: A value breaks a rule.
        """
        instance = own.instance or self._instance
        if not instance:
            raise RequestValidationError(
                "instance", "name one: the client has none of its own (EVOLUTION_INSTANCE)"
            )
        composed: list[Composed] = []

        async def take(one: Composed) -> None:
            composed.append(one)

        api = AsyncMessagesApi(self._pipeline, Target(instance), _unbound, _unbound, take)
        await compose(api)
        make = partial(
            draft_of,
            composed[0],
            own,
            instance,
            now=datetime.fromtimestamp(self._pipeline.ports.wall(), UTC),
            on_unknown=self._settings.on_unknown,
            cipher=self._store.cipher,
            limit_bytes=self._settings.max_file_bytes,
            lids=self._pipeline.parts.reconciler.lids,
        )
        # Only a file takes long to be read, and to be encrypted.
        return make() if composed[0].plan is None else await run_blocking(make)


def _unbound(event: Any) -> Any:
    """Bind no reply: nothing is sent here that could be answered."""
    return event
