# Generated from src/evolution_sdk/_async/families.py by tools/generate_sync.py. Edit that file instead.
"""The families of methods, as attributes of a client and of an instance handle."""

from __future__ import annotations

from .caller import Caller, Target
from .resources.chats import ChatsApi
from .resources.messages import MessagesApi
from .resources.settings import SettingsApi
from .resources.webhook import WebhookApi


class Families:
    """Everything that can be done with one instance."""

    def __init__(self, caller: Caller, target: Target) -> None:
        self._caller = caller
        self._target = target
        self._messages = MessagesApi(caller, target)
        self._chats = ChatsApi(caller, target)
        self._settings = SettingsApi(caller, target)
        self._webhook = WebhookApi(caller, target)

    @property
    def messages(self) -> MessagesApi:
        """Sending messages."""
        return self._messages

    @property
    def chats(self) -> ChatsApi:
        """Chats, contacts, stored messages, profiles."""
        return self._chats

    @property
    def settings(self) -> SettingsApi:
        """Behaviour settings."""
        return self._settings

    @property
    def webhook(self) -> WebhookApi:
        """The webhook."""
        return self._webhook


class Instance(Families):
    """A light handle of one instance; it shares the client's connections and metrics."""

    @property
    def name(self) -> str:
        """The instance's name."""
        return self._target.instance or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"
