"""Databases and brokers of the settings: which there are, a connection to each, the finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final, NamedTuple

from evolution_sdk._cli.language import t
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk.cli.shown_url import shown_url
from evolution_sdk.cli.unreached import why
from evolution_sdk.config import EvolutionConfig

from .findings import Finding

__all__ = ["Service", "look", "service", "services_of"]

_LIMIT_S: Final = 5.0
_REDIS: Final = ("redis://", "rediss://", "unix://")
_EXTRAS: Final = {"redis": "redis", "postgresql": "postgres", "rabbitmq": "rabbitmq"}


class Service(NamedTuple):
    """A database or broker of the settings.

    Attributes:
        kind: ``redis``, ``postgresql`` or ``rabbitmq``.
        variable: The setting that names it first.
        address: Its address, which may hold a password.
    """

    kind: str
    variable: str
    address: str

    def __repr__(self) -> str:
        return f"Service({self.kind}, {self.variable})"


def services_of(config: EvolutionConfig) -> list[Service]:
    """Return what the settings name, each address once.

    Args:
        config: The settings.
    """
    found: dict[str, Service] = {}
    for variable, address in _addresses(config):
        if address.startswith(_REDIS):
            found.setdefault(address, Service("redis", variable, address))
        elif is_postgres(address):
            found.setdefault(address, Service("postgresql", variable, address))
        elif address.startswith(("amqp://", "amqps://")):
            found.setdefault(address, Service("rabbitmq", variable, address))
    return list(found.values())


def _addresses(config: EvolutionConfig) -> Iterator[tuple[str, str]]:
    for variable, value in (
        ("EVOLUTION_LID_STORE", config.lid_store),
        ("EVOLUTION_RATE_LIMIT_STORE", config.rate_limit.store),
        ("EVOLUTION_OUTBOX_STORE", config.outbox.store),
        ("EVOLUTION_STORE_PATH", config.store.path),
        ("EVOLUTION_RABBITMQ_URI", config.rabbitmq.uri),
    ):
        if value is not None:
            yield variable, value if isinstance(value, str) else value.get_secret_value()


def service(named: Service, problem: str) -> Finding:
    """Judge a database or broker.

    Args:
        named: Which.
        problem: Why it does not answer, without secrets; ``missing`` for a library that is not
            installed; empty if it answers.
    """
    place = f"{shown_url(named.address).replace('…@', '').removesuffix('?…')} ({named.variable})"
    if not problem:
        words = t(f"{place} answers", f"{place} responde")
        return Finding(named.kind, "ok", words, about=named.variable)
    if problem == "missing":
        return Finding(
            named.kind,
            "failed",
            t(f"{place}: its library is not installed", f"{place}: falta a biblioteca"),
            f"pip install 'evolutionapi-sdk[{_EXTRAS[named.kind]}]'",
            named.variable,
        )
    return Finding(
        named.kind,
        "failed",
        t(f"{place} does not answer: {problem}", f"{place} não responde: {problem}"),
        t(
            f"is it running, and are address, user and password in {named.variable} right?",
            f"está rodando? Endereço, usuário e senha em {named.variable} estão certos?",
        ),
        named.variable,
    )


def look(named: Service) -> str:
    """Connect to a database or broker, and say hello.

    Args:
        named: Which.

    Returns:
        The problem, for :func:`service`; empty if it answers.
    """
    ask: dict[str, Callable[[str], None]] = {
        "redis": _ask_redis,
        "postgresql": _ask_postgres,
        "rabbitmq": _ask_rabbitmq,
    }
    try:
        ask[named.kind](named.address)
    except ImportError:
        return "missing"
    except Exception as error:  # noqa: BLE001 - libraries raise anything; each is a finding
        return why(error)
    return ""


def _ask_redis(address: str) -> None:
    redis: Any = import_module("redis")
    client = redis.Redis.from_url(address, socket_timeout=_LIMIT_S, socket_connect_timeout=_LIMIT_S)
    try:
        client.ping()
    finally:
        client.close()


def _ask_postgres(address: str) -> None:
    psycopg: Any = import_module("psycopg")
    with psycopg.connect(address, connect_timeout=int(_LIMIT_S)) as connection:
        connection.execute("SELECT 1")


def _ask_rabbitmq(address: str) -> None:
    import asyncio

    amqp: Any = import_module("aio_pika")

    async def ask() -> None:
        connection = await amqp.connect(address, timeout=_LIMIT_S)
        await connection.close()

    asyncio.run(ask())
