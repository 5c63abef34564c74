"""Answers about instances: life cycle, connection state and QR code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from evolution_sdk.errors import RequestValidationError

from .base import IsoTime, Model, Number, OpenEnum
from .settings import Settings


class Integration(OpenEnum):
    """The channel of an instance."""

    BAILEYS = "WHATSAPP-BAILEYS"
    BUSINESS = "WHATSAPP-BUSINESS"
    EVOLUTION = "EVOLUTION"


class ConnectionStatus(OpenEnum):
    """The state of an instance. ``open`` does not prove that its socket works."""

    CLOSE = "close"
    CONNECTING = "connecting"
    OPEN = "open"
    REFUSED = "refused"


class InstanceSummary(Model):
    """The part about the instance in several answers."""

    shown: ClassVar[tuple[str, ...]] = ("instance_name", "state", "status", "integration")

    instance_name: str = ""
    instance_id: str | None = None
    integration: Integration | None = None
    webhook_wa_business: str | None = None
    access_token_wa_business: str | None = None
    status: ConnectionStatus | None = None
    state: ConnectionStatus | None = None


_NO_INSTANCE = InstanceSummary()


class QrCode(Model):
    """A QR code or pairing code; parts are missing until the server has one."""

    shown: ClassVar[tuple[str, ...]] = ("count",)

    pairing_code: str | None = None
    code: str | None = None
    # A data URI with a PNG (`facts/semantics.md` §4).
    base64: str | None = None
    count: Number | None = None

    @property
    def ready(self) -> bool:
        """Tell whether there is a code to scan or to type in."""
        return bool(self.code or self.pairing_code)

    def png(self) -> bytes:
        """Return the QR code as a PNG: the server's picture, else one that is drawn here.

        Returns:
            The bytes of the file. Whoever sees it can link a phone: keep it secret.

        Raises:
            RequestValidationError: There is no code yet.
            ConfigurationError: It has to be drawn, and segno is missing:
                ``pip install 'evolutionapi-sdk[cli]'``.
        """
        from .qr_drawing import as_png

        return as_png(self.code, self.base64)

    def terminal(self, *, ansi: bool = True) -> str:
        """Return the QR code as text for a terminal, about 61 columns and 31 lines.

        Args:
            ansi: True to set black and white by escape sequences (default); False for bare
                characters, which are right in a dark terminal only.

        Returns:
            Lines of half blocks, without a line end at the end.

        Raises:
            RequestValidationError: There is no code yet.
            ConfigurationError: segno is missing: ``pip install 'evolutionapi-sdk[cli]'``.
        """
        from .qr_drawing import as_terminal

        return as_terminal(self.code, ansi=ansi)

    def save(self, path: str | Path) -> Path:
        """Write the QR code to a file that only its owner may read.

        Args:
            path: The file, ending with ``.png`` or ``.svg``; one that is there is replaced.

        Returns:
            The path.

        Raises:
            RequestValidationError: There is no code yet, or the name ends otherwise.
            ConfigurationError: It has to be drawn, and segno is missing:
                ``pip install 'evolutionapi-sdk[cli]'``.
            OSError: The file cannot be written.
        """
        from evolution_sdk._base.private_file import write_private

        from .qr_drawing import as_svg

        path = Path(path)
        kind = path.suffix.lower()
        if kind not in (".png", ".svg"):
            raise RequestValidationError("path", "must end with .png or .svg")
        write_private(path, self.png() if kind == ".png" else as_svg(self.code))
        return path


class CreatedInstance(Model):
    """A new instance. ``token`` is its key: keep it secret."""

    shown: ClassVar[tuple[str, ...]] = ("name", "status")
    expected: ClassVar[tuple[str, ...]] = ("instance", "hash")

    instance: InstanceSummary = _NO_INSTANCE
    token: str = Field(default="", alias="hash")
    # ``{}`` if none was given (`facts/observed.md` "Response shapes that vary" 8).
    webhook: Mapping[str, Any] | None = None
    websocket: Mapping[str, Any] | None = None
    rabbitmq: Mapping[str, Any] | None = None
    nats: Mapping[str, Any] | None = None
    sqs: Mapping[str, Any] | None = None
    settings: Settings | None = None
    qrcode: QrCode | None = None
    chatwoot: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The instance's name."""
        return self.instance.instance_name

    @property
    def status(self) -> ConnectionStatus | None:
        """Its state when it was created."""
        return self.instance.status


class ConnectResult(QrCode):
    """The answer to connect and restart: a code to scan, or the state when already open."""

    shown: ClassVar[tuple[str, ...]] = ("state", "count")

    instance: InstanceSummary | None = None

    @property
    def state(self) -> ConnectionStatus | None:
        """The state, if the instance is already open."""
        return self.instance.state if self.instance is not None else None


class ConnectionState(Model):
    """The connection state of an instance."""

    shown: ClassVar[tuple[str, ...]] = ("name", "state")
    expected: ClassVar[tuple[str, ...]] = ("instance",)

    instance: InstanceSummary = _NO_INSTANCE

    @property
    def name(self) -> str:
        """The instance's name."""
        return self.instance.instance_name

    @property
    def state(self) -> ConnectionStatus | None:
        """The state; None while the instance is not loaded, which is neither open nor closed."""
        return self.instance.state


class InstanceCounts(Model):
    """The number of rows the server has stored for an instance."""

    shown: ClassVar[tuple[str, ...]] = ("messages", "contacts", "chats")

    messages: int = Field(default=0, alias="Message")
    contacts: int = Field(default=0, alias="Contact")
    chats: int = Field(default=0, alias="Chat")


class InstanceInfo(Model):
    """One row of the server's table of instances. ``token`` is its key: keep it secret."""

    shown: ClassVar[tuple[str, ...]] = ("name", "connection_status", "integration")
    expected: ClassVar[tuple[str, ...]] = ("name",)

    id: str = ""
    name: str = ""
    # From the database; the state in memory can differ (`facts/semantics.md` §4).
    connection_status: ConnectionStatus | None = None
    owner_jid: str | None = None
    profile_name: str | None = None
    profile_pic_url: str | None = None
    integration: Integration | None = None
    number: str | None = None
    business_id: str | None = None
    # Present even if the server does not expose tokens (`facts/semantics.md` §1).
    token: str | None = None
    client_name: str | None = None
    disconnection_reason_code: int | None = None
    # JSON inside a string (`facts/observed.md` "Ids and times").
    disconnection_object: Any = None
    disconnection_at: IsoTime | None = None
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None
    chatwoot: Mapping[str, Any] | None = Field(default=None, alias="Chatwoot")
    proxy: Mapping[str, Any] | None = Field(default=None, alias="Proxy")
    rabbitmq: Mapping[str, Any] | None = Field(default=None, alias="Rabbitmq")
    nats: Mapping[str, Any] | None = Field(default=None, alias="Nats")
    sqs: Mapping[str, Any] | None = Field(default=None, alias="Sqs")
    websocket: Mapping[str, Any] | None = Field(default=None, alias="Websocket")
    settings: Settings | None = Field(default=None, alias="Setting")
    counts: InstanceCounts | None = Field(default=None, alias="_count")


class AckDetail(Model):
    """The text of an acknowledgement."""

    shown: ClassVar[tuple[str, ...]] = ("message",)

    message: str = ""


class InstanceAck(Model):
    """The acceptance of a command: the server goes on working after this answer."""

    shown: ClassVar[tuple[str, ...]] = ("status", "message")
    expected: ClassVar[tuple[str, ...]] = ("status",)

    status: str = ""
    error: bool = False
    response: AckDetail = AckDetail()

    @property
    def message(self) -> str:
        """The server's text."""
        return self.response.message


class PresenceAck(Model):
    """The presence that was set."""

    shown: ClassVar[tuple[str, ...]] = ("presence",)
    expected: ClassVar[tuple[str, ...]] = ("presence",)

    presence: str = ""
