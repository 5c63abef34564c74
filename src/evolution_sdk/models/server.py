"""The server itself."""

from __future__ import annotations

from typing import ClassVar

from .base import Model


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
