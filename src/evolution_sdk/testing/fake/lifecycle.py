"""The life of an instance: creation, settings, QR code, connection, logout, deletion."""

from __future__ import annotations

from .errors import bad_request, reading
from .inlining import load_webhook
from .js import JsonObject, get, iso, truthy
from .qr import draw, new_code
from .state import (
    BAILEYS,
    DEFAULT_SETTINGS,
    EVOLUTION,
    ConnectionState,
    Instance,
    QrCode,
    ServerState,
)

_OWNER_PICTURE = "https://pps.whatsapp.net/v/t61.24694-24/fake.jpg?ccb=11-4&oh=01&oe=00"
_LOGGED_OUT = 401


def add(
    server: ServerState,
    name: str,
    integration: str,
    *,
    state: ConnectionState,
    token: str | None,
    number: str | None,
) -> Instance:
    """Add an instance as a finished create leaves it, with the default settings.

    Args:
        server: The state of the fake.
        name: A name that is free.
        integration: One of ``CHANNELS``.
        state: State of the other channels; Baileys starts closed, until a phone connects.
        token: Its key; made up when None.
        number: Its number column.
    """
    baileys = integration == BAILEYS
    instance = Instance(
        name=name,
        id=server.ids.uuid(),
        integration=integration,
        token=token or server.ids.uuid().upper(),
        created_ms=server.now_ms(),
        number=number,
        state="close" if baileys else state,
        connection_status="close" if baileys else "open",
    )
    server.instances[name] = instance
    save_settings(server, instance, DEFAULT_SETTINGS)
    return instance


def save_settings(server: ServerState, instance: Instance, values: JsonObject) -> None:
    """Write the settings row; members not given keep their value.

    Raises:
        ErrorThrown: With a ``wavoipToken`` on an instance without a socket, after saving.
    """
    now = iso(server.now_ms())
    row = instance.setting or {
        "id": server.ids.row(),
        **DEFAULT_SETTINGS,
        "createdAt": now,
        "instanceId": instance.id,
    }
    given = {name: values[name] for name in DEFAULT_SETTINGS if name in values}
    instance.setting = {**row, **given, "updatedAt": now}
    # The server saves first and then reads the socket, so that the row stays although it throws.
    if truthy(get(values, "wavoipToken")) and not instance.has_client:
        raise reading("ws", "null" if instance.integration == EVOLUTION else "undefined")


def scan_qr(
    server: ServerState, instance: Instance, owner_jid: str, profile_name: str | None
) -> None:
    """Let a phone scan the QR code, which opens the session."""
    instance.owner_jid = owner_jid
    instance.profile_name = profile_name
    instance.profile_pic_url = _OWNER_PICTURE
    instance.qr = instance.qr or QrCode()
    open_session(server, instance)


def connect(server: ServerState, instance: Instance, number: str | None = None) -> None:
    """Start a socket, as ``connectToWhatsapp`` does; it shows a QR unless a phone is logged in."""
    # The other channels have no socket: their connect does nothing, or says that it is open.
    if instance.integration != BAILEYS:
        if instance.integration == EVOLUTION and server.profile.has("instances_reopen"):
            instance.state = instance.connection_status = "open"
        return
    instance.has_client = True
    load_webhook(instance)
    instance.pairing_number = number or instance.pairing_number
    if instance.qr is None:
        instance.qr = QrCode()
    # The client object exists from here on, although it never gets through to WhatsApp.
    if not server.network.reachable:
        return
    if instance.logged_in:
        open_session(server, instance)
        return
    # Without a session a QR code is shown, and the state waits for the scan.
    _change(server, instance, "connecting", 200)
    refresh_qr(server, instance)


def refresh_qr(server: ServerState, instance: Instance) -> None:
    """Show the next QR code, or none yet while ``qr_after`` connects have not passed."""
    qr = instance.qr = instance.qr or QrCode()
    instance.qr_attempts += 1
    # WhatsApp has sent no code yet: the answer is then {"count": 0}.
    if instance.qr_attempts <= server.options.qr_after:
        return
    qr.count += 1
    qr.code = new_code(server.ids)
    qr.base64 = draw(qr.code)
    # A pairing code is made only for a connect that names a number.
    qr.pairing_code = server.ids.reference()[:8] if instance.pairing_number else None
    shown = {"pairingCode": qr.pairing_code, "code": qr.code, "base64": qr.base64}
    server.emit(instance, "qrcode.updated", {"qrcode": {"instance": instance.name, **shown}})


def open_session(server: ServerState, instance: Instance) -> None:
    """Open the session of a connected phone."""
    instance.has_client = instance.logged_in = True
    load_webhook(instance)
    instance.disconnection = None
    extra: JsonObject = {
        "wuid": instance.owner_jid,
        "profileName": instance.profile_name,
        "profilePictureUrl": instance.profile_pic_url,
    }
    _change(server, instance, "open", 200, extra)


def _change(
    server: ServerState,
    instance: Instance,
    state: ConnectionState,
    reason: int,
    extra: JsonObject | None = None,
) -> None:
    instance.state = state
    # The other channels never write their row: it says "open" for ever
    # (`facts/observed.md` "Response shapes that vary" 7).
    if instance.integration == BAILEYS:
        instance.connection_status = state
        instance.updated_ms = server.now_ms()
    data = {"instance": instance.name, **(extra or {}), "state": state, "statusReason": reason}
    server.emit(instance, "connection.update", data)


def lose_connection(server: ServerState, instance: Instance) -> None:
    """Break the socket; the server keeps trying, and never reports ``close``."""
    instance.has_client = True
    _change(server, instance, "connecting", 200)


def close_session(server: ServerState, instance: Instance, *, asked: bool = False) -> None:
    """End the session, as a logout by the phone (401) or by the API does.

    Args:
        server: The state of the fake.
        instance: The instance.
        asked: Whether it is the API that ends it.
    """
    if instance.integration != BAILEYS:
        instance.state = "close"
        return
    at = iso(server.now_ms())
    instance.disconnection = {"code": _LOGGED_OUT, "object": "{}", "at": at}
    instance.logged_in = False
    if asked and server.profile.has("logout_silent"):
        # Taken for ended before the socket closes, which then tells nobody.
        instance.state = instance.connection_status = "close"
        instance.updated_ms = server.now_ms()
        return
    # Three events in this order; real ones may overtake each other on their way.
    status = {
        "instance": instance.name,
        "status": "closed",
        "disconnectionAt": at,
        "disconnectionReasonCode": _LOGGED_OUT,
        "disconnectionObject": "{}",
    }
    server.emit(instance, "status.instance", status)
    server.emit(instance, "logout.instance", None)
    _change(server, instance, "close", _LOGGED_OUT)


def logout(server: ServerState, instance: Instance) -> bool:
    """Log out, as ``DELETE /instance/logout`` does.

    Returns:
        Whether it was connected.

    Raises:
        HttpThrown: It was not, and the version minds (400).
    """
    if instance.state == "close":
        if server.profile.has("closed_logout_succeeds"):
            return False
        raise bad_request(f'The "{instance.name}" instance is not connected')
    close_session(server, instance, asked=True)
    return True


def remove(server: ServerState, instance: Instance) -> None:
    """Delete an instance: unloaded at once, its row gone after the deletion lag."""
    if instance.state in ("open", "connecting"):
        logout(server, instance)
    ids = {"instanceName": instance.name, "instanceId": instance.id}
    server.emit(instance, "instance.delete", ids)
    discard(server, instance)


def discard(server: ServerState, instance: Instance) -> None:
    """Remove an instance, after a delete or a create that failed."""
    server.emit(instance, "remove.instance", None)
    # The server awaits this one webhook, retries included, before it removes anything
    # (`facts/observed.md` "2xx that are not successes" 4).
    if server.holds_removal(instance):
        instance.removal_waits = True
        instance.state = "close"
        return
    unload(server, instance)


def unload(server: ServerState, instance: Instance) -> None:
    """Take an instance out of the server's memory; its row goes after the deletion lag."""
    instance.state = None
    instance.gone_at_ms = server.now_ms() + server.options.deletion_lag_ms
    # Without a lag this look-up drops the row right away.
    server.known(instance.name)
