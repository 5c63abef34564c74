"""The families of methods, as attributes of a client and of an instance handle."""

from __future__ import annotations

from functools import cached_property

from .caller import Caller, Target
from .resources.chats import AsyncChatsApi
from .resources.messages import AsyncMessagesApi
from .resources.settings import AsyncSettingsApi
from .resources.webhook import AsyncWebhookApi


class AsyncFamilies:
    """Everything that can be done with one instance; each family is made when it is first used."""

    def __init__(self, caller: Caller, target: Target) -> None:
        self._caller = caller
        self._target = target

    @cached_property
    def messages(self) -> AsyncMessagesApi:
        """Sending messages."""
        return AsyncMessagesApi(self._caller, self._target)

    @cached_property
    def chats(self) -> AsyncChatsApi:
        """Chats, contacts, stored messages, profiles."""
        return AsyncChatsApi(self._caller, self._target)

    @cached_property
    def settings(self) -> AsyncSettingsApi:
        """Behaviour settings."""
        return AsyncSettingsApi(self._caller, self._target)

    @cached_property
    def webhook(self) -> AsyncWebhookApi:
        """The webhook."""
        return AsyncWebhookApi(self._caller, self._target)


class AsyncInstance(AsyncFamilies):
    """A light handle of one instance; it shares the client's connections and metrics."""

    @property
    def name(self) -> str:
        """The instance's name."""
        return self._target.instance or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"
