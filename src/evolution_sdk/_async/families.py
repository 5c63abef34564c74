"""The families of methods, as attributes of a client and of an instance handle."""

from __future__ import annotations

from .caller import Caller, Target
from .resources.chats import AsyncChatsApi
from .resources.messages import AsyncMessagesApi
from .resources.settings import AsyncSettingsApi
from .resources.webhook import AsyncWebhookApi


class AsyncFamilies:
    """Everything that can be done with one instance."""

    def __init__(self, caller: Caller, target: Target) -> None:
        self._caller = caller
        self._target = target
        self._messages = AsyncMessagesApi(caller, target)
        self._chats = AsyncChatsApi(caller, target)
        self._settings = AsyncSettingsApi(caller, target)
        self._webhook = AsyncWebhookApi(caller, target)

    @property
    def messages(self) -> AsyncMessagesApi:
        """Sending messages."""
        return self._messages

    @property
    def chats(self) -> AsyncChatsApi:
        """Chats, contacts, stored messages, profiles."""
        return self._chats

    @property
    def settings(self) -> AsyncSettingsApi:
        """Behaviour settings."""
        return self._settings

    @property
    def webhook(self) -> AsyncWebhookApi:
        """The webhook."""
        return self._webhook


class AsyncInstance(AsyncFamilies):
    """A light handle of one instance; it shares the client's connections and metrics."""

    @property
    def name(self) -> str:
        """The instance's name."""
        return self._target.instance or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"
