"""The proxy through which an instance reaches WhatsApp."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .base import MisfitError, Model, RequestModel
from .rows import StoredRow

ProxyProtocol = Literal["http", "socks"]
_HIGHEST_PORT = 65_535


class Proxy(StoredRow):
    """A stored proxy. Its password is in clear text; ``repr`` never shows it."""

    shown: ClassVar[tuple[str, ...]] = ("enabled", "host", "port", "protocol")
    expected: ClassVar[tuple[str, ...]] = ("enabled", "host")

    enabled: bool = False
    host: str = ""
    port: str = ""
    protocol: str = ""
    username: str = ""
    password: str = ""


class ProxyEcho(Model):
    """The proxy to be stored, with the instance's name."""

    shown: ClassVar[tuple[str, ...]] = ("instance_name",)

    instance_name: str = ""
    proxy: Proxy = Proxy()


class ProxyAck(Model):
    """The answer to setting a proxy: an echo, blanked when the proxy is switched off."""

    shown: ClassVar[tuple[str, ...]] = ("proxy",)
    expected: ClassVar[tuple[str, ...]] = ("proxy",)

    proxy: ProxyEcho = ProxyEcho()


def _port(value: Any) -> Any:
    """Write a port as text, which the server's schema demands."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ProxyRequest(RequestModel):
    """A proxy to use, or none.

    All six fields are always sent: the schema demands four of them even to switch the proxy off,
    and the server's database accepts no missing user name or password.
    """

    enabled: bool = True
    host: str = ""
    port: Annotated[str, BeforeValidator(_port), Field(pattern=r"^[0-9]{0,5}$")] = ""
    protocol: ProxyProtocol = "http"
    username: str = ""
    password: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not self.host:
            raise MisfitError("host", "an enabled proxy needs a host")
        if self.enabled and not 0 < int(self.port or 0) <= _HIGHEST_PORT:
            raise MisfitError("port", f"an enabled proxy needs a port from 1 to {_HIGHEST_PORT}")
        if bool(self.username) != bool(self.password):
            raise MisfitError(
                "password" if self.username else "username",
                "username and password: the server uses neither without the other",
            )
        return self
