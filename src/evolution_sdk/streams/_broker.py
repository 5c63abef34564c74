"""Connections to RabbitMQ, whatever is then taken from it."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from evolution_sdk._base.network import check_host

from ._stream import ConnectionLostError, missing_extra

__all__ = ["load_aio_pika", "open_connection"]


def load_aio_pika() -> Any:
    """Return the library.

    Raises:
        EvolutionError: It is not installed.
    """
    try:
        return import_module("aio_pika")
    except ImportError:
        raise missing_extra("rabbitmq", "aio-pika") from None


async def open_connection(
    amqp: Any, uri: SecretStr, *, timeout_s: float, heartbeat_s: int, name: str
) -> tuple[Any, Any, asyncio.Event]:
    """Connect to the broker.

    Args:
        amqp: The library.
        uri: Address of the broker.
        timeout_s: Longest wait, in seconds.
        heartbeat_s: Interval of the protocol's heartbeats, in seconds.
        name: Name that the broker shows.

    Returns:
        The connection, a callback for whatever ends with it, and the event that this callback
        sets, which the connection's own end sets, too.

    Raises:
        ConfigurationError: The host may not be connected to.
        ConnectionLostError: The broker was not reached, or refused.
    """
    address = uri.get_secret_value()
    check_host(urlsplit(address).hostname or "")
    try:
        connection = await amqp.connect(
            address, timeout=timeout_s, heartbeat=heartbeat_s,
            client_properties={"connection_name": name},
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001  odd answers make the library raise anything
        # Without its own text, which may hold the address with its password.
        why = f"no connection to the broker ({type(error).__name__})"
        raise ConnectionLostError(why) from None
    gone = asyncio.Event()

    def ended(*_: Any) -> None:
        gone.set()

    connection.close_callbacks.add(ended)
    return connection, ended, gone
