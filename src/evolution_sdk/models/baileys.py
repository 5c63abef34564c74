"""Models of the low-level routes, which expose parts of WhatsApp's own protocol."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber

from .base import Model, Number, RequestModel
from .wire import decode_bytes


class JidCheck(Model):
    """The result of looking up a JID on WhatsApp."""

    shown: ClassVar[tuple[str, ...]] = ("jid", "exists")
    expected: ClassVar[tuple[str, ...]] = ("jid",)

    jid: str = ""
    exists: bool = False
    lid: str | None = None


class UsyncDevice(Model):
    """One device of an account; 0 is the phone itself."""

    shown: ClassVar[tuple[str, ...]] = ("user", "device")
    expected: ClassVar[tuple[str, ...]] = ("user",)

    user: str = ""
    device: Number | None = None


class ParticipantNodes(Model):
    """A message encrypted for each device; its contents are base64."""

    shown: ClassVar[tuple[str, ...]] = ("should_include_device_identity",)
    expected: ClassVar[tuple[str, ...]] = ("nodes",)

    nodes: tuple[Mapping[str, Any], ...] = ()
    should_include_device_identity: bool = False


class GeneratedId(Model):
    """A message id made by the server."""

    shown: ClassVar[tuple[str, ...]] = ("id",)
    expected: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""


class AuthState(Model):
    """The session's identity with the account's keys: secret, so ``repr`` shows nothing.

    Both fields are None on an instance that was never logged in.
    """

    me: Mapping[str, Any] | None = None
    account: Mapping[str, Any] | None = None


def _jid(value: Any) -> str:
    """Read a full JID: these routes take nothing else, and check nothing themselves."""
    try:
        if isinstance(value, PhoneNumber):
            value = value.jid
        elif isinstance(value, str):
            value = Jid.parse(value)
    except RequestValidationError as error:
        raise ValueError(error.rule) from None
    if not isinstance(value, Jid):
        raise ValueError("must be a JID or a phone number")  # noqa: TRY004 - pydantic wants this
    # ``str`` of a JID leaves the device out, but these routes need it.
    return str(value) if value.device is None else f"{value.user}:{value.device}@{value.server}"


def _base64(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, str) and not decode_bytes(value):
        raise ValueError("must be bytes, or base64")
    return value


JidText = Annotated[str, BeforeValidator(_jid)]
Base64 = Annotated[str, BeforeValidator(_base64), Field(min_length=1)]


class JidRequest(RequestModel):
    """One JID."""

    jid: JidText


class PictureUrlRequest(JidRequest):
    """A request for a picture: its owner, its size, and the server's wait for WhatsApp in ms."""

    called: ClassVar[Mapping[str, str]] = {"timeout_ms": "wait_ms"}

    type: Literal["image", "preview"] | None = None
    timeout_ms: int | None = Field(default=None, ge=1)


class JidsRequest(RequestModel):
    """Several JIDs."""

    jids: tuple[JidText, ...]


class ParticipantNodesRequest(JidsRequest):
    """Message to encrypt, as WhatsApp's protocol buffer in JSON."""

    message: dict[str, Any]
    extra_attrs: dict[str, Any] | None = None


class DevicesRequest(JidsRequest):
    """A request for the devices of several accounts."""

    use_cache: bool | None = None
    ignore_zero_devices: bool | None = None


class NodeRequest(RequestModel):
    """A raw node of WhatsApp's protocol."""

    stanza: dict[str, Any]


class DecryptRequest(JidRequest):
    """A message of the Signal protocol."""

    type: Literal["pkmsg", "msg"]
    ciphertext: Base64
