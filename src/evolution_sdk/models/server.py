"""The server itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .base import Model, OpenEnum


class ServerInfo(Model):
    """The answer to ``GET /``."""

    shown: ClassVar[tuple[str, ...]] = ("version", "client_name")
    expected: ClassVar[tuple[str, ...]] = ("version",)

    status: int = 0
    message: str = ""
    version: str = ""
    client_name: str | None = None
    manager: str | None = None
    documentation: str | None = None
    whatsapp_web_version: str | None = None

    @property
    def major(self) -> int | None:
        """The major version; this SDK supports 2. None if the version is unreadable."""
        first = self.version.partition(".")[0]
        return int(first) if first.isdecimal() else None


class Credentials(Model):
    """Answer to a key check. It may hold a Facebook token, which ``repr`` never shows."""

    shown: ClassVar[tuple[str, ...]] = ("status", "message")
    expected: ClassVar[tuple[str, ...]] = ("status",)

    status: int = 0
    message: str = ""
    facebook_app_id: str | None = None
    facebook_config_id: str | None = None
    facebook_user_token: str | None = None


class LicenseState(OpenEnum):
    """The state of a server's licence."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    PENDING = "pending"


class License(Model):
    """The licence of a server, from 2.4.0-rc1 on. It may hold the ends of a key, never shown."""

    shown: ClassVar[tuple[str, ...]] = ("status", "instance_id")
    expected: ClassVar[tuple[str, ...]] = ("status",)

    status: LicenseState | None = None
    # Its own spelling, not camel case.
    instance_id: str | None = Field(default=None, alias="instance_id")
    api_key: str | None = Field(default=None, alias="api_key")

    @property
    def active(self) -> bool:
        """True if the server may be used."""
        return self.status is LicenseState.ACTIVE


class LicenseRegistration(Model):
    """The answer to asking for a registration.

    ``register_url`` is where a person activates the server. It comes from outside: show it, and
    never open it by program.
    """

    shown: ClassVar[tuple[str, ...]] = ("status",)
    expected: ClassVar[tuple[str, ...]] = ("status",)

    status: LicenseState | None = None
    message: str | None = None
    register_url: str | None = Field(default=None, alias="register_url")


class LicenseActivation(Model):
    """The answer to activating a server with the code of its registration."""

    shown: ClassVar[tuple[str, ...]] = ("status", "message")
    expected: ClassVar[tuple[str, ...]] = ("status",)

    status: LicenseState | None = None
    message: str | None = None
