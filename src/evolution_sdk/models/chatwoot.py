"""The link of an instance to Chatwoot."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from .base import Model, RequestModel
from .conditions import needed_if
from .webhook import WebhookUrl


class ChatwootLink(Model):
    """The link as stored, or as echoed by a set; ``token`` is in clear text.

    Without a stored link the server answers a placeholder: disabled, and empty otherwise.
    """

    shown: ClassVar[tuple[str, ...]] = ("enabled", "name_inbox")
    expected: ClassVar[tuple[str, ...]] = ("enabled", "url")

    enabled: bool | None = None
    account_id: str | None = None
    token: str | None = None
    url: str = ""
    sign_msg: bool | None = None
    sign_delimiter: str | None = None
    name_inbox: str | None = None
    reopen_conversation: bool | None = None
    conversation_pending: bool | None = None
    merge_brazil_contacts: bool | None = None
    import_contacts: bool | None = None
    import_messages: bool | None = None
    days_limit_import_messages: float | None = None
    auto_create: bool | None = None
    organization: str | None = None
    logo: str | None = None
    number: str | None = None
    ignore_jids: tuple[str, ...] | None = None
    webhook_url: str | None = Field(default=None, alias="webhook_url")


_Text = Annotated[str, Field(max_length=100)]


_IfEnabled = needed_if("enabled", True)


class ChatwootRequest(RequestModel):
    """A link to store; an enabled one must be complete. Lengths are the database's limits."""

    enabled: bool = True
    account_id: Annotated[_Text, _IfEnabled]
    token: Annotated[_Text, _IfEnabled]
    url: Annotated[WebhookUrl, _IfEnabled]
    sign_msg: bool
    reopen_conversation: bool
    conversation_pending: bool
    sign_delimiter: _Text | None = None
    name_inbox: _Text | None = None
    merge_brazil_contacts: bool | None = None
    import_contacts: bool | None = None
    import_messages: bool | None = None
    days_limit_import_messages: int | None = Field(default=None, strict=True, ge=0)
    auto_create: bool | None = None
    organization: _Text | None = None
    logo: str | None = Field(default=None, max_length=500)
    number: _Text | None = None
    ignore_jids: tuple[str, ...] | None = None
