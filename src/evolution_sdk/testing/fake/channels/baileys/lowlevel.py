"""The library's own functions (``/baileys/*``), called with whatever the body holds."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from evolution_sdk.testing.fake.channels.base import Method
from evolution_sdk.testing.fake.errors import ConnectionClosed, ErrorThrown, reading
from evolution_sdk.testing.fake.js import (
    UNDEFINED,
    JsonObject,
    as_list,
    as_object,
    defined,
    get,
    truthy,
)
from evolution_sdk.testing.fake.lids import LID_SUFFIX
from evolution_sdk.testing.fake.numbers import USER_SUFFIX
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

from . import socket
from .profile import own_id

_PLAINTEXT = b"\x01\x02"
_CIPHERTEXT_BYTES = 32
_PREKEY_VERSION = 3
_NO_STANZA = "Cannot destructure property 'tag' of 'undefined' as it is undefined."
_NO_BYTES = (
    "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or "
    "an Array-like Object"
)


def _jids(call: RouteCall) -> list[str]:
    """Read ``jids`` like ``new Set(jids)``: each once, and none when nothing is given.

    Raises:
        ErrorThrown: The TypeError of a set made from a number, a flag or an object.
    """
    given = get(call.body, "jids")
    if given is UNDEFINED or given is None:
        return []
    # A text is a sequence of letters to JavaScript as well.
    items = list(given) if isinstance(given, str) else as_list(given)
    if items is None:
        shown = "object" if as_object(given) is not None else _primitive(given)
        words = f"{shown} is not iterable (cannot read property Symbol(Symbol.iterator))"
        raise ErrorThrown(words, name="TypeError")
    return list(dict.fromkeys(str(item) for item in items))


def _primitive(value: object) -> str:
    return f"boolean {str(value).lower()}" if isinstance(value, bool) else f"number {value}"


def _message_id(call: RouteCall, instance: Instance) -> JsonObject:
    # The own id goes into it, which a client that was never connected does not have.
    socket.need_client(instance, "user")
    return {"id": call.server.ids.whatsapp()}


def _user(jid: str) -> str:
    return jid.partition("@")[0].partition(":")[0]


def _on_whatsapp(call: RouteCall, instance: Instance) -> list[JsonObject]:
    socket.need_client(instance, "onWhatsApp")
    jid = get(call.body, "jid")
    if not isinstance(jid, str):
        raise reading("replace")
    # The look-up is by phone number: a LID finds nothing, and asks nobody.
    if jid.endswith(LID_SUFFIX):
        return []
    socket.query(instance, "onWhatsApp")
    found = call.server.network.find(f"{_user(jid.removeprefix('+'))}{USER_SUFFIX}")
    if found is None:
        return []
    return [{"jid": found, "exists": True, "lid": call.server.network.lids.of(found)}]


def _picture(call: RouteCall, instance: Instance) -> Any:
    socket.query(instance, "profilePictureUrl")
    url = call.server.network.profile(str(get(call.body, "jid"))).picture
    return UNDEFINED if url is None else url


def _assert_sessions(call: RouteCall, instance: Instance) -> bool:
    socket.need_client(instance, "assertSessions")
    # Sessions that are known need no socket.
    missing = [jid for jid in _jids(call) if jid not in instance.protocol.sessions]
    if missing:
        socket.query(instance, "assertSessions")
        instance.protocol.sessions.update(missing)
    return bool(missing)


def _participant_nodes(call: RouteCall, instance: Instance) -> JsonObject:
    socket.need_client(instance, "createParticipantNodes")
    given = get(call.body, "jids")
    if given is UNDEFINED or given is None:
        raise reading("length", "null" if given is None else "undefined")
    jids = [str(jid) for jid in as_list(given) or ()]
    # The library compares each JID with its own, which only a login sets.
    if jids and not instance.logged_in:
        raise reading("id")
    if any(jid not in instance.protocol.sessions for jid in jids):
        raise ErrorThrown("No sessions", name="SessionError")
    extra = as_object(get(call.body, "extraAttrs")) or {}
    nodes: list[JsonObject] = [
        {
            "tag": "to",
            "attrs": {"jid": jid},
            "content": [
                {
                    "tag": "enc",
                    "attrs": {"v": "2", "type": "pkmsg", **extra},
                    "content": base64.b64encode(call.server.ids.secret(_CIPHERTEXT_BYTES)).decode(),
                }
            ],
        }
        for jid in jids
    ]
    return {"nodes": nodes, "shouldIncludeDeviceIdentity": bool(nodes)}


def _devices(call: RouteCall, instance: Instance) -> list[JsonObject]:
    socket.need_client(instance, "getUSyncDevices")
    jids = _jids(call)
    if not jids:
        return []
    socket.query(instance, "getUSyncDevices")
    if truthy(get(call.body, "ignoreZeroDevices")):
        # Every phone of this network is its only device, number zero.
        return []
    return [
        {"user": _user(jid), "device": 0}
        for jid in jids
        if call.server.network.find(f"{_user(jid)}@{jid.partition('@')[2]}") is not None
    ]


def _tag(call: RouteCall, instance: Instance) -> str:
    socket.need_client(instance, "generateMessageTag")
    return instance.protocol.tag(call.server.ids)


def _send_node(call: RouteCall, instance: Instance) -> Any:
    socket.need_client(instance, "sendNode")
    stanza = get(call.body, "stanza")
    if instance.state != "open":
        # Encoding comes before the socket, and needs a tag.
        if stanza in (UNDEFINED, None):
            raise ErrorThrown(_NO_STANZA, name="TypeError")
        if not truthy(get(stanza, "tag")):
            raise ErrorThrown("Invalid node: tag cannot be undefined")
        raise ConnectionClosed
    instance.protocol.nodes.append(stanza)
    return UNDEFINED


def _decrypt(call: RouteCall, instance: Instance) -> str:
    """Decrypt a message: it needs a session but no socket; the plain text is made up."""
    given, kind = get(call.body, "ciphertext"), get(call.body, "type")
    if not isinstance(given, str):
        received = "undefined" if given is UNDEFINED else f"type {type(given).__name__}"
        raise ErrorThrown(f"{_NO_BYTES}. Received {received}", name="TypeError")
    socket.need_client(instance, "signalRepository")
    # Checked in the library's order: bytes, client, type, version, session.
    if kind not in ("msg", "pkmsg"):
        shown = "undefined" if kind is UNDEFINED else kind
        raise ErrorThrown(f"Unknown message type: {shown}")
    # A pkmsg brings its session with it; a msg needs one.
    if kind == "pkmsg" and _version(given) < _PREKEY_VERSION:
        raise ErrorThrown("Incompatible version number on PreKeyWhisperMessage")
    if kind == "msg" and get(call.body, "jid") not in instance.protocol.sessions:
        raise ErrorThrown("No session record", name="SessionError")
    return base64.b64encode(_PLAINTEXT).decode()


def _version(ciphertext: str) -> int:
    """Read the protocol version, the upper half of the first byte."""
    try:
        data = base64.b64decode(ciphertext)
    except binascii.Error:
        return 0
    return data[0] >> 4 if data else 0


def _auth_state(call: RouteCall, instance: Instance) -> JsonObject:
    """Show the credentials: empty until a phone has logged in."""
    socket.need_client(instance, "authState")
    me = own_id(instance)
    if me is UNDEFINED or instance.owner_jid is None:
        return {}
    # The own LID has the device of the own JID.
    user, _, domain = call.server.network.lids.of(instance.owner_jid).partition("@")
    device = me.partition("@")[0].partition(":")[2]
    lid = f"{user}:{device}@{domain}"
    return {"me": defined(id=me, lid=lid, name=instance.profile_name), "account": {}}


METHODS: dict[str, Method] = {
    "generateMessageID": _message_id,
    "baileysOnWhatsapp": _on_whatsapp,
    "baileysProfilePictureUrl": _picture,
    "baileysAssertSessions": _assert_sessions,
    "baileysCreateParticipantNodes": _participant_nodes,
    "baileysGetUSyncDevices": _devices,
    "baileysGenerateMessageTag": _tag,
    "baileysSendNode": _send_node,
    "baileysSignalRepositoryDecryptMessage": _decrypt,
    "baileysGetAuthState": _auth_state,
}
