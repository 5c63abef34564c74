"""Base class of all families of methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from evolution_sdk._async.pipeline import Pipeline
from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk._client.options import (
    CACHE_KEYS,
    SEND_KEYS,
    CacheOptions,
    CallOptions,
    SendOptions,
)
from evolution_sdk._common.arguments import checked, refused
from evolution_sdk.identity import PhoneNumber
from evolution_sdk.identity._server import with_country_code
from evolution_sdk.models.base import Model, RequestModel
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.target import Target

T = TypeVar("T")
M = TypeVar("M", bound=Model | None)


class AsyncResourceApi:
    """Family of methods, bound to a client and to one instance (or to none).

    Every public method first checks its arguments against its annotations.
    """

    __slots__ = ("_pipeline", "_target")

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A plain event handler that drops a coroutine of such a method fails, and names the method.
        tracked_class(checked(refused, complete=_completed)(cls))

    def __init__(self, pipeline: Pipeline, target: Target) -> None:
        self._pipeline = pipeline
        self._target = target

    async def _act(
        self,
        operation: Operation[T],
        body: Mapping[str, Any],
        options: SendOptions,
        *,
        hold_ms: float = 0,
    ) -> T:
        """Make a call that must not be repeated blindly, with the caller's ``on_unknown``."""
        return await self._pipeline.call(
            operation,
            self._target,
            body,
            hold_ms=hold_ms,
            options=options,
            known_options=SEND_KEYS,
        )

    async def _call(
        self, operation: Operation[T], request: RequestModel, options: CallOptions
    ) -> T:
        """Make a call with a checked request as its body."""
        return await self._pipeline.call(operation, self._target, request.body(), options=options)

    async def _remembered(
        self,
        operation: Operation[M],
        what: str,
        ident: str,
        absent: Callable[[M], bool],
        options: CacheOptions,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | None] | None = None,
    ) -> M:
        """Answer one look-up from the cache, or else ask the server.

        Args:
            operation: The look-up; its ``cached_as`` says what the cache keeps it as.
            what: What is looked up, in words, for errors.
            ident: Whom or what it is about.
            absent: Tells if an answer says that there is nothing.
            options: The caller's options.
            body: JSON body.
            query: Query values by key.

        Returns:
            The answer, which may have been kept or come by another's request.
        """

        async def ask() -> M:
            return await self._pipeline.call(
                operation,
                self._target,
                body,
                query=query,
                options=options,
                known_options=CACHE_KEYS,
            )

        kind, found = operation.cached_as, self._pipeline.cache_for(what, options)
        if kind is None or found is None:
            return await ask()
        cache, fresh = found
        return await cache.one((kind, self._target.instance, ident), ask, absent, fresh=fresh)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(instance={self._target.instance!r})"


def _completed(api: AsyncResourceApi, number: str, field: str) -> str | PhoneNumber:
    """Add the country code of the settings to a number without one."""
    code = api._pipeline.config.default_country_code  # pyright: ignore[reportPrivateUsage]
    return number if code is None else with_country_code(number, code, field)
