"""Behaviour settings of an instance."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .base import IsoTime, Model, RequestModel


class Settings(Model):
    """The behaviour settings of an instance."""

    shown: ClassVar[tuple[str, ...]] = (
        "reject_call",
        "groups_ignore",
        "always_online",
        "read_messages",
        "read_status",
        "sync_full_history",
    )

    id: str | None = None
    reject_call: bool | None = None
    msg_call: str | None = None
    groups_ignore: bool | None = None
    always_online: bool | None = None
    read_messages: bool | None = None
    read_status: bool | None = None
    sync_full_history: bool | None = None
    wavoip_token: str | None = None
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None
    instance_id: str | None = None


class SettingsEcho(Model):
    """The stored settings, with the instance's name."""

    shown: ClassVar[tuple[str, ...]] = ("instance_name",)

    instance_name: str = ""
    settings: Settings = Settings()


class SettingsAck(Model):
    """The answer to changing the settings: an echo of the request."""

    shown: ClassVar[tuple[str, ...]] = ("settings",)
    expected: ClassVar[tuple[str, ...]] = ("settings",)

    settings: SettingsEcho = SettingsEcho()


class SettingsRequest(RequestModel):
    """The settings to store. All six switches are mandatory: the server replaces the whole set."""

    reject_call: bool
    groups_ignore: bool
    always_online: bool
    read_messages: bool
    read_status: bool
    sync_full_history: bool
    msg_call: str | None = Field(default=None, max_length=100)
    wavoip_token: str | None = None
