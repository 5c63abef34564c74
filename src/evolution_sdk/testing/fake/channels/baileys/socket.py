"""Errors of a Baileys client that is missing, closed or has never logged in."""

from __future__ import annotations

from evolution_sdk.testing.fake.errors import ConnectionClosed, ErrorThrown, Thrown, reading
from evolution_sdk.testing.fake.state import Instance

_NO_JID = (
    "Illegal no-jid profile update. Please specify either your ID or the ID of the chat you wish "
    "to update"
)


def need_client(instance: Instance, member: str) -> None:
    """Throw the TypeError of ``this.client.member`` on an instance that never connected."""
    if not instance.has_client:
        raise reading(member)


def query(instance: Instance, member: str, before_login: Thrown | None = None) -> None:
    """Ask WhatsApp something: impossible over a closed socket.

    Args:
        instance: The instance that asks.
        member: The client's method.
        before_login: Error of a closed socket in place of the usual one, before any login.

    Raises:
        Thrown: There is no client, or its socket is closed.
    """
    need_client(instance, member)
    if instance.state != "open":
        # Some calls read the own id or name before they reach the socket; only a login sets them.
        if before_login is not None and not instance.logged_in:
            raise before_login
        raise ConnectionClosed


def send(instance: Instance, member: str = "sendMessage") -> None:
    """Send something: the own id is read first, and only a login has set it."""
    query(instance, member, reading("id"))


def presence(instance: Instance) -> None:
    """Set the account-wide presence: the own name is read first."""
    query(instance, "sendPresenceUpdate", reading("name"))


def patch_chat(instance: Instance, member: str) -> None:
    """Change the app state (archive, unread, own name), which needs its keys."""
    need_client(instance, member)
    if instance.state != "open":
        # The library looks for its keys before it reaches the socket.
        raise ErrorThrown("App state key not present!")


def update_own_picture(instance: Instance, member: str) -> None:
    """Change the own picture; the own JID is known only after a login."""
    query(instance, member, ErrorThrown(_NO_JID))
