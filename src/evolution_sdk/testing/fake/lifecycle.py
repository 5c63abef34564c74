"""How instances come, connect, lose their phone and go."""

from __future__ import annotations

from .errors import bad_request
from .js import JsonObject, iso
from .state import BAILEYS, Instance, QrCode, State
from .world import World

_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
OWNER_PICTURE = "https://pps.whatsapp.net/v/t61.24694-24/fake.jpg?ccb=11-4&oh=01&oe=00"
_LOGGED_OUT = 401


def connect(world: World, instance: Instance, number: str | None = None) -> None:
    """Start a socket, as ``connectToWhatsapp`` does; it shows a QR unless a phone is known."""
    if instance.integration != BAILEYS:
        return
    instance.has_client = True
    instance.pairing_number = number or instance.pairing_number
    if instance.qr is None:
        instance.qr = QrCode()
    if not world.network.reachable:
        return
    if instance.logged_in:
        open_session(world, instance)
        return
    _change(world, instance, "connecting", 200)
    refresh_qr(world, instance)


def refresh_qr(world: World, instance: Instance) -> None:
    """Show the next QR code, or none yet while ``qr_after`` connects have not passed."""
    qr = instance.qr = instance.qr or QrCode()
    instance.qr_attempts += 1
    if instance.qr_attempts <= world.options.qr_after:
        return
    qr.count += 1
    qr.code = f"2@{world.ids.secret(24).hex()},{world.ids.secret(16).hex()}"
    qr.base64 = _PIXEL
    qr.pairing_code = world.ids.reference()[:8] if instance.pairing_number else None
    shown = {"pairingCode": qr.pairing_code, "code": qr.code, "base64": qr.base64}
    world.emit(instance, "qrcode.updated", {"qrcode": {"instance": instance.name, **shown}})


def open_session(world: World, instance: Instance) -> None:
    """The phone is connected."""
    instance.has_client = instance.logged_in = True
    instance.disconnection = None
    extra: JsonObject = {
        "wuid": instance.owner_jid,
        "profileName": instance.profile_name,
        "profilePictureUrl": instance.profile_pic_url,
    }
    _change(world, instance, "open", 200, extra)


def _change(
    world: World, instance: Instance, state: State, reason: int, extra: JsonObject | None = None
) -> None:
    instance.state = state
    if instance.integration == BAILEYS:
        instance.connection_status = state
        instance.updated_ms = world.now_ms()
    data = {"instance": instance.name, **(extra or {}), "state": state, "statusReason": reason}
    world.emit(instance, "connection.update", data)


def lose_connection(world: World, instance: Instance) -> None:
    """The socket breaks; the server keeps trying, without ever saying ``close``."""
    instance.has_client = True
    _change(world, instance, "connecting", 200)


def close_session(world: World, instance: Instance) -> None:
    """The phone logged the session out (401), or the API did."""
    if instance.integration != BAILEYS:
        instance.state = "close"
        return
    at = iso(world.now_ms())
    instance.disconnection = {"code": _LOGGED_OUT, "object": "{}", "at": at}
    instance.logged_in = False
    status = {
        "instance": instance.name,
        "status": "closed",
        "disconnectionAt": at,
        "disconnectionReasonCode": _LOGGED_OUT,
        "disconnectionObject": "{}",
    }
    world.emit(instance, "status.instance", status)
    world.emit(instance, "logout.instance", None)
    _change(world, instance, "close", _LOGGED_OUT)


def logout(world: World, instance: Instance) -> None:
    """``DELETE /instance/logout``.

    Raises:
        HttpThrown: It is not connected (400).
    """
    if instance.state == "close":
        raise bad_request(f'The "{instance.name}" instance is not connected')
    close_session(world, instance)


def remove(world: World, instance: Instance) -> None:
    """``DELETE /instance/delete``: unloaded at once, its row gone after the deletion lag."""
    if instance.state in ("open", "connecting"):
        logout(world, instance)
    ids = {"instanceName": instance.name, "instanceId": instance.id}
    world.emit(instance, "instance.delete", ids)
    discard(world, instance)


def discard(world: World, instance: Instance) -> None:
    """Take an instance away, after a delete or a create that failed."""
    world.emit(instance, "remove.instance", None)
    instance.state = None
    instance.gone_at_ms = world.now_ms() + world.options.deletion_lag_ms
    world.known(instance.name)
