"""Bodies of the /instance routes, checked before they leave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, TypedDict

from pydantic import Field, model_validator

from evolution_sdk.errors import RequestValidationError

from .base import MisfitError, RequestModel
from .webhook import WebhookRequest

IntegrationName = Literal["WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"]


class InstanceSettings(TypedDict, total=False):
    """Further settings of a new instance, by the names of ``CreateInstanceRequest``.

    ``proxy_*`` set its proxy (the port is text), ``chatwoot_*`` its Chatwoot account; the event
    channels take ``{"events": [...]}``.
    """

    business_id: str
    reject_call: bool
    msg_call: str
    groups_ignore: bool
    always_online: bool
    read_messages: bool
    read_status: bool
    sync_full_history: bool
    proxy_host: str
    proxy_port: str
    proxy_protocol: Literal["http", "socks"]
    proxy_username: str
    proxy_password: str
    websocket: Mapping[str, Any]
    rabbitmq: Mapping[str, Any]
    nats: Mapping[str, Any]
    sqs: Mapping[str, Any]
    kafka: Mapping[str, Any]
    chatwoot_account_id: str
    chatwoot_token: str
    chatwoot_url: str
    chatwoot_sign_msg: bool
    chatwoot_reopen_conversation: bool
    chatwoot_conversation_pending: bool
    chatwoot_import_contacts: bool
    chatwoot_name_inbox: str
    chatwoot_merge_brazil_contacts: bool
    chatwoot_import_messages: bool
    chatwoot_days_limit_import_messages: int
    chatwoot_organization: str
    chatwoot_logo: str
    chatwoot_auto_create: bool


_SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


def check_instance_name(name: str) -> str:
    """Refuse a name of a new instance that harms some server.

    A server uses the name in paths of files, in URLs and in headers; 2.2.3 with Chatwoot on puts
    it into a shell command at deletion, where a blank or ``..`` removes other folders, and on 2.4
    a letter outside Latin-1 stops every webhook and the deletion (`facts/versions/versions.md`).

    Args:
        name: The name.

    Returns:
        The name.

    Raises:
        RequestValidationError: It has other signs than letters, digits, ``_``, ``-`` and ``.``, or
            begins with a dot.
    """
    if _SAFE_NAME.fullmatch(name) is None:
        raise RequestValidationError(
            "name",
            "must be letters A to Z, digits, '_', '-' and '.', and not begin with a dot: other "
            "names harm some servers (2.2.3 may delete files by them). "
            "unsafe_name=True takes it all the same",
        )
    return name


class CreateInstanceRequest(RequestModel):
    """A new instance. The rules of the three channels: `facts/semantics.md` §10."""

    called: ClassVar[Mapping[str, str]] = {"instance_name": "name"}

    instance_name: str = Field(min_length=1, max_length=255)
    integration: IntegrationName = "WHATSAPP-BAILEYS"
    token: str | None = Field(default=None, min_length=1, max_length=255)
    # The server's own pattern (`facts/observed.md` "Request traps" 9).
    number: str | None = Field(default=None, pattern=r"^\d+[\.@\w-]+")
    business_id: str | None = None
    qrcode: bool | None = None
    reject_call: bool | None = None
    msg_call: str | None = Field(default=None, max_length=100)
    groups_ignore: bool | None = None
    always_online: bool | None = None
    read_messages: bool | None = None
    read_status: bool | None = None
    sync_full_history: bool | None = None
    proxy_host: str | None = None
    # Text, as the server demands (`facts/observed.md` "Request traps" 9).
    proxy_port: str | None = Field(default=None, pattern=r"^\d+$")
    proxy_protocol: Literal["http", "socks"] | None = None
    proxy_username: str | None = None
    proxy_password: str | None = None
    webhook: WebhookRequest | None = None
    websocket: dict[str, Any] | None = None
    rabbitmq: dict[str, Any] | None = None
    nats: dict[str, Any] | None = None
    sqs: dict[str, Any] | None = None
    kafka: dict[str, Any] | None = None
    chatwoot_account_id: str | None = None
    chatwoot_token: str | None = None
    chatwoot_url: str | None = None
    chatwoot_sign_msg: bool | None = None
    chatwoot_reopen_conversation: bool | None = None
    chatwoot_conversation_pending: bool | None = None
    chatwoot_import_contacts: bool | None = None
    chatwoot_name_inbox: str | None = None
    chatwoot_merge_brazil_contacts: bool | None = None
    chatwoot_import_messages: bool | None = None
    chatwoot_days_limit_import_messages: int | None = None
    chatwoot_organization: str | None = None
    chatwoot_logo: str | None = None
    chatwoot_auto_create: bool | None = None

    @model_validator(mode="after")
    def _channel_rules(self) -> Self:
        if self.integration == "WHATSAPP-BUSINESS" and not (self.token and self.number):
            raise MisfitError(
                "number" if self.token else "token",
                "integration WHATSAPP-BUSINESS needs token (Meta's access token) and number "
                "(Meta's phone number id)",
            )
        if self.qrcode and self.integration != "WHATSAPP-BAILEYS":
            raise MisfitError("qrcode", "qrcode is only for integration WHATSAPP-BAILEYS")
        return self

    @model_validator(mode="after")
    def _event_transports_need_events(self) -> Self:
        """Demand ``events``: without it the server fails and removes the new instance."""
        for name in ("websocket", "rabbitmq", "nats", "sqs", "kafka"):
            block = getattr(self, name)
            if block is not None and not isinstance(block.get("events"), list):
                raise MisfitError(name, f"{name} needs a list of events ([] means all)")
        return self

    @model_validator(mode="after")
    def _chatwoot_is_whole(self) -> Self:
        base = (self.chatwoot_account_id, self.chatwoot_token, self.chatwoot_url)
        switches = (
            self.chatwoot_sign_msg,
            self.chatwoot_reopen_conversation,
            self.chatwoot_conversation_pending,
        )
        if all(base) and None in switches:
            raise MisfitError(
                "chatwoot_sign_msg",
                "chatwoot also needs chatwoot_sign_msg, chatwoot_reopen_conversation and "
                "chatwoot_conversation_pending",
            )
        return self
