"""Who sends in `doubles.py`: this SDK, and two peers as their users run them.

Each peer is wrapped in tenacity with 3 attempts, on whatever its own code and its HTTP library
call an error; nothing else is changed about it. What a peer returns is what its user believes:

- ``evolutionapi`` 0.1.2, the official client, returns the body of a POST whatever its status, so
  that a 500 looks like a message; requests raises on a cut connection, and tenacity sends again.
- ``pyevolutionapi`` 0.1.1 raises on statuses and on a cut connection, and tenacity sends again.
  Its model of the answer does not fit what a Baileys instance answers: every send that the
  server has taken ends in pydantic's ValidationError. That is not tried again here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from evolution_sdk import EvolutionClient, RetryPolicy
from evolution_sdk.retry import OnUnknown

Send = Callable[[str, str], Any]
Subject = Callable[[str, str, str], AbstractContextManager[Send]]

PEER_ATTEMPTS = 3
OUR_ATTEMPTS = 10  # safe to be many


@contextmanager
def ours(url: str, key: str, instance: str, on_unknown: OnUnknown) -> Iterator[Send]:
    with EvolutionClient(
        url, key, instance=instance, retry=RetryPolicy(max_attempts=OUR_ATTEMPTS)
    ) as client:
        yield lambda number, text: client.messages.send_text(number, text, on_unknown=on_unknown)


@contextmanager
def official(url: str, key: str, instance: str) -> Iterator[Send]:
    import requests
    import tenacity
    from evolutionapi.client import EvolutionClient as Official
    from evolutionapi.exceptions import EvolutionAPIError
    from evolutionapi.models.message import TextMessage

    client = Official(url, key)
    # requests counts an answer that is no JSON among its exceptions as well.
    again = _tenacity(tenacity, (requests.RequestException, EvolutionAPIError))
    yield again(
        lambda number, text: client.messages.send_text(
            instance, TextMessage(number=number, text=text), key
        )
    )


@contextmanager
def pyevolutionapi(url: str, key: str, instance: str) -> Iterator[Send]:
    import tenacity

    with environment_kept():  # it loads a .env when it is imported
        from pyevolutionapi import EvolutionAPIError
        from pyevolutionapi import EvolutionClient as Peer

    client = Peer(url, key)
    again = _tenacity(tenacity, (EvolutionAPIError,))
    try:
        yield again(lambda number, text: client.messages.send_text(instance, number, text))
    finally:
        client.close()
        asyncio.run(client.aclose())


def _tenacity(tenacity: Any, errors: tuple[type[Exception], ...]) -> Callable[[Send], Send]:
    wrap: Callable[[Send], Send] = tenacity.retry(
        stop=tenacity.stop_after_attempt(PEER_ATTEMPTS),
        retry=tenacity.retry_if_exception_type(errors),
        reraise=True,
    )
    return wrap


@contextmanager
def environment_kept() -> Iterator[None]:
    """Undo what an import does to the environment."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


SUBJECTS: dict[str, Subject] = {
    "evolution-sdk, resend": partial(ours, on_unknown="resend"),
    "evolution-sdk, default": partial(ours, on_unknown="reconcile"),
    "evolutionapi 0.1.2 + tenacity": official,
    "pyevolutionapi 0.1.1 + tenacity": pyevolutionapi,
}
OURS = [name for name in SUBJECTS if name.startswith("evolution-sdk")]
