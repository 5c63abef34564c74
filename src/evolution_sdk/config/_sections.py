"""The smaller sections of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, SecretStr, field_validator

from evolution_sdk._base.request import DEFAULT_MAX_RESPONSE_BYTES
from evolution_sdk._sql.dialect import shown_place

from ._base import (
    SWITCH_RULE,
    Positive,
    Section,
    Switch,
    Variable,
    Wait,
    check_key,
    parse_bool,
)
from ._urls import split_url


class AuthenticationConfig(Section):
    """Credentials of the server.

    Attributes:
        type: Always ``apikey``: version 2 of the server has no other.
        api_key: The server's global key, needed if the client's key is an instance token.
    """

    type: Annotated[
        Literal["apikey"],
        BeforeValidator(lambda v: v.strip().lower() if isinstance(v, str) else v),
        Variable("EVOLUTION_AUTHENTICATION_TYPE", "apikey, the only type in version 2", "apikey"),
    ] = "apikey"
    api_key: Annotated[
        SecretStr | None,
        Variable(
            "EVOLUTION_AUTHENTICATION_API_KEY", "printable ASCII without blanks",
            "the-servers-global-key", secret=True,
        ),
    ] = None  # fmt: skip

    @field_validator("api_key", mode="before")
    @classmethod
    def _key(cls, value: object) -> object:
        return check_key(value, "EVOLUTION_AUTHENTICATION_API_KEY")


class StoreConfig(Section):
    """The contents of the local backup.

    Attributes:
        messages: Whether messages are kept.
        message_up: Whether updates of messages are kept.
        contacts: Whether contacts are kept.
        path: Path of the SQLite file that holds it, or address of a PostgreSQL
            (``postgresql://user:password@host/name``, extra ``postgres``), which several machines
            may share. What is shown of it holds no user and no password.
    """

    messages: Annotated[Switch, Variable("EVOLUTION_STORE_MESSAGES", SWITCH_RULE, "true")] = False
    message_up: Annotated[Switch, Variable("EVOLUTION_STORE_MESSAGE_UP", SWITCH_RULE, "true")] = (
        False
    )
    contacts: Annotated[Switch, Variable("EVOLUTION_STORE_CONTACTS", SWITCH_RULE, "true")] = False
    path: Annotated[
        str,
        Variable(
            "EVOLUTION_STORE_PATH", "a path, or a postgresql:// address",
            "/var/lib/bot/whatsapp.db", secret=True,
        ),
    ] = "evolution_archive.db"  # fmt: skip

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, shown_place(value) if name == "path" else value


class WebsocketConfig(Section):
    """Events by the server's socket.io.

    Attributes:
        enabled: Whether events are also read from it.
        global_events: Whether the events of all instances are read, which needs
            ``WEBSOCKET_GLOBAL_EVENTS=true`` on the server. If not, those of the default instance.
    """

    enabled: Annotated[Switch, Variable("EVOLUTION_WEBSOCKET_ENABLED", SWITCH_RULE, "true")] = False
    global_events: Annotated[
        Switch, Variable("EVOLUTION_WEBSOCKET_GLOBAL_EVENTS", SWITCH_RULE, "true")
    ] = False


_TIMEOUT_RULE = "milliseconds, a whole number of 1 or more"


class TimeoutConfig(Section):
    """Time limits of one attempt, from the wait for a connection to the last byte, in milliseconds.

    Attributes:
        connect_ms: Limit for making a connection, a part of the others.
        read_ms: Limit of an ordinary call.
        send_ms: Limit of a send, beyond its ``delay``: the server queries WhatsApp first, which may
            take up to 60 s per query.
        media_ms: Limit of a send with a file, beyond its ``delay``, and of fetching a file.
    """

    connect_ms: Annotated[Wait, Variable("EVOLUTION_TIMEOUT_CONNECT_MS", _TIMEOUT_RULE, "5000")] = (
        5_000
    )
    read_ms: Annotated[Wait, Variable("EVOLUTION_TIMEOUT_READ_MS", _TIMEOUT_RULE, "60000")] = 60_000
    send_ms: Annotated[Wait, Variable("EVOLUTION_TIMEOUT_SEND_MS", _TIMEOUT_RULE, "90000")] = 90_000
    media_ms: Annotated[Wait, Variable("EVOLUTION_TIMEOUT_MEDIA_MS", _TIMEOUT_RULE, "180000")] = (
        180_000
    )


class HttpConfig(Section):
    """Connections to the server.

    Attributes:
        backend: ``httpx``, ``httpx2`` (extra ``httpx2``), or ``aiohttp`` (async only, extra
            ``aiohttp``).
        proxy: URL of a proxy; secret, since it may contain a password.
        tls_verify: Whether certificates are verified, or the path of a CA bundle.
        max_response_bytes: Limit of an answer in bytes, both as received and decompressed; reading
            stops there.
    """

    backend: Annotated[
        Literal["httpx", "httpx2", "aiohttp"],
        BeforeValidator(lambda v: v.strip().lower() if isinstance(v, str) else v),
        Variable("EVOLUTION_HTTP_BACKEND", "httpx, httpx2 or aiohttp", "httpx"),
    ] = "httpx"
    proxy: Annotated[
        SecretStr | None,
        Variable(
            "EVOLUTION_HTTP_PROXY", "a proxy URL", "http://proxy.example.com:3128", secret=True
        ),
    ] = None
    tls_verify: Annotated[
        bool | str,
        Variable(
            "EVOLUTION_TLS_VERIFY", "true, false, or the path of a CA bundle that exists", "true"
        ),
    ] = True
    max_response_bytes: Annotated[
        Positive,
        Variable("EVOLUTION_MAX_RESPONSE_BYTES", "bytes, a whole number of 1 or more", "150000000"),
    ] = DEFAULT_MAX_RESPONSE_BYTES

    @field_validator("proxy")
    @classmethod
    def _proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = value.get_secret_value().strip()
        split_url(
            url, "EVOLUTION_HTTP_PROXY", example="http://proxy.example.com:3128",
            schemes=("http", "https", "socks5", "socks5h"),
        )  # fmt: skip
        return SecretStr(url)

    @field_validator("tls_verify", mode="before")
    @classmethod
    def _verify(cls, value: object) -> object:
        try:
            return parse_bool(value)
        except ValueError:
            path = Path(value).expanduser() if isinstance(value, str | Path) and value else None
            if path is None or not _there(path):
                raise
            return str(path)


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a character that no path may contain
        return False
