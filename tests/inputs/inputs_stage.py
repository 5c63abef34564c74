"""One call with a spoiled argument, against the fake; and the verdict on what came of it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import islice
from typing import Any

from inputs_surface import Method
from nasty_values import nasty
from pydantic import BaseModel

from clients.conftest import Kit
from clients.fake_stage import Stage
from evolution_sdk.errors import ConfigurationError, EvolutionError, RequestValidationError
from evolution_sdk.retry import EvolutionRetryService

_MOST_ITEMS = 3
# What an argument is called where it has travelled inside of another one, or with another one.
_SPEAKS_FOR: Mapping[str, tuple[str, ...]] = {
    "name": ("instance", "EVOLUTION_INSTANCE"),
    "since": ("since/until",),
    "until": ("since/until",),
    "mimetype": ("mime_type",),
    "audio": ("media",),
    "video": ("media",),
    "sticker": ("media",),
    "not_convert_sticker": (
        "media",
        "sticker",
    ),  # True lets the file be fetched, which is not there
    "user": ("user/password",),
    "password": ("user/password",),
}


class World:
    """A fake with an instance, and a client of each colour."""

    def __init__(self, colour: str) -> None:
        self.stage = Stage(Kit(colour))
        self.stage.open_instance()
        retry = EvolutionRetryService(
            max_attempts=1,
            clock=self.stage.kit.time,
            sleep=self.stage.kit.time.sleep,
            async_sleep=self.stage.kit.time.async_sleep,
        )
        self.client = self.stage.client(retry=retry)

    @property
    def stored(self) -> int:
        """How many messages the fake has sent."""
        return len(self.stage.fake.sent)

    async def outcome(self, method: Method, spoiled: Mapping[str, Any]) -> BaseException | None:
        """Call it; what it raised, or None."""
        arguments = {**method.good, **spoiled}
        if "retry" not in spoiled and "retry" in method.names:
            arguments["retry"] = False
        try:
            await _finished(method.of(self.client)(**arguments))
        except Exception as error:
            return error
        return None


async def _finished(answer: Any) -> None:
    if isinstance(answer, AsyncIterator):
        for _ in range(_MOST_ITEMS):
            await anext(answer, None)
    elif isinstance(answer, Iterator):
        list(islice(answer, _MOST_ITEMS))
    elif inspect.isawaitable(answer):
        await answer


def _speaks_by_fields(value: object) -> bool:
    """Whether errors name what is in it; asked of its type, as the values are nasty."""
    return issubclass(type(value), Mapping | BaseModel)


def complaint(method: Method, name: str, value: object, error: BaseException | None) -> str | None:
    """What is wrong with what a spoiled call raised; None when nothing is."""
    if error is None:
        return None
    if not isinstance(error, EvolutionError):
        return f"{type(error).__name__} is not ours: {str(error)[:100]!r}"
    if isinstance(error, RequestValidationError):
        told = error.field
    elif isinstance(error, ConfigurationError):
        told = error.variable or ""
    else:
        return None  # the server's own refusal, or nothing to wait for
    allowed = (name, *_SPEAKS_FOR.get(name, ()))
    if _speaks_by_fields(value):
        return None  # its own fields are named
    if not any(told == each or told.startswith((f"{each}[", f"{each}.")) for each in allowed):
        return f"blames {told!r} instead of {name!r}: {error.args}"
    return None


async def judge(world: World, method: Method, name: str, value_name: str) -> str | None:
    """Spoil one argument of one method; what is wrong with what came of it, or None."""
    before = world.stored
    value = nasty(value_name)
    error = await world.outcome(method, {name: value})
    wrong = complaint(method, name, value, error)
    if error is not None and world.stored != before:
        wrong = f"raised {type(error).__name__} after the message was sent"
    return None if wrong is None else f"{method.name}({name}=<{value_name}>): {wrong}"
