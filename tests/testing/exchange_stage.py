"""In which state the real server was when an exchange was recorded: one table.

``ARRANGEMENTS`` pairs a pattern for exchange names (and a channel) with what had happened before.
All entries that match are applied, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import exchange_accounts
import exchange_integrations
import exchange_versions
from exchange_arrangement import GLOBAL_KEY, Arrangement, Stage
from exchange_data import BASE, Exchange, load

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake.state import ServerOptions

PEER = "5511987654321"
PEER_JID = f"{PEER}@s.whatsapp.net"
GROUP = "120363000000000001@g.us"
PICTURE = "https://pps.whatsapp.net/v/t61.24694-24/fake.jpg"
SIM = "WHATSAPP-BAILEYS (simulated socket)"
OFFLINE = "WHATSAPP-BAILEYS"
_INSTANCES = (
    ("evo-chan", "EVOLUTION", "evo-token-1", "5511900000001"),
    ("biz-chan", "WHATSAPP-BUSINESS", "EAAfakeMetaToken", "100000000000001"),
    ("bai-chan", "WHATSAPP-BAILEYS", "bai-token", None),
)


def make(exchange: Exchange) -> Stage:
    variant = exchange.name.startswith("variant.")
    options: dict[str, Any] = {}
    if variant:
        options = {
            "manager": False,
            "metrics_credentials": ("user", "pass"),
            "features": frozenset({"rabbitmq"}),
            "expose_tokens": False,
        }
    elif exchange.version != BASE:
        options = {"features": ServerOptions().features | {"rabbitmq", "pusher"}}
    fake = FakeEvolution(
        api_key=GLOBAL_KEY,
        clock=FakeClock(1_795_447_889_000),
        server_url="http://127.0.0.1:8085",
        version=exchange.version,
        # The base was recorded from its source, the others from builds like the Docker images.
        minified=exchange.version != BASE,
        licensed=not exchange.unlicensed,
        deletion_lag_ms=1_000 if "right_after_delete" in exchange.name else 0,
        **options,
    )
    path = exchange.request["path"].split("?")[0].split("/")
    # Chatbots put the bot's id before the instance.
    stage = Stage(fake, exchange, unquote(path[-1]) if len(path) > 3 else "")
    if exchange.family == "baileys_exchanges":
        exchange_versions.simulate(stage)
        return stage
    for arrangement in ARRANGEMENTS:
        if arrangement.applies(exchange):
            arrangement.act(stage)
    return stage


def _base(stage: Stage) -> None:
    for name, integration, token, number in _INSTANCES:
        state = "close" if integration == "WHATSAPP-BAILEYS" else "open"
        stage.fake.create_instance(
            name, integration=integration, state=state, token=token, number=number
        )
    stage.fake.instances["biz-chan"].business_id = "200000000000002"


def _add(name: str, integration: str, **options: Any) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        stage.fake.create_instance(name, integration=integration, **options)

    return act


def _offline(stage: Stage) -> None:
    """WhatsApp could not be reached; a connection had been tried and failed."""
    stage.fake.set_whatsapp_reachable(False)
    stage.fake.set_state("bai-chan", "close")


def _connecting(stage: Stage) -> None:
    stage.fake.set_whatsapp_reachable(True)
    stage.fake.set_state("bai-chan", "connecting")


def _lost(stage: Stage) -> None:
    stage.fake.scan_qr("bai-chan")
    stage.fake.set_state("bai-chan", "connecting")


def _cached_number(stage: Stage) -> None:
    stage.fake.cache_number(PEER)


def _group(stage: Stage) -> None:
    members = ["111222333444555@lid", "999888777666555@lid"]
    # The later recordings began with an empty cache.
    cached = stage.exchange.version == BASE
    stage.fake.groups.add(GROUP, "Test group", members, cached=cached)


def _simulated(stage: Stage) -> None:
    """The simulated phone network: what it said about people."""
    fake = stage.fake
    fake.create_instance("sim-wa", state="close", token="sim-token")
    _group(stage)
    fake.not_on_whatsapp("5511999000000")
    fake.resolve("551187654321", PEER)
    business = {
        "wid": PEER_JID, "address": "Street 1", "description": "Desc",
        "website": ["https://example.org"], "email": "a@example.org", "category": "Other",
        "business_hours": {"timezone": "America/Sao_Paulo", "config": [], "business_config": []},
    }  # fmt: skip
    fake.set_profile(PEER, picture=PICTURE, business=business)
    fake.set_profile("5511900000003", picture=PICTURE)


def _online(stage: Stage) -> None:
    stage.ask("GET", "/instance/connect/sim-wa")
    stage.fake.scan_qr("sim-wa")


def _ada(stage: Stage) -> None:
    stage.fake.receive_text(stage.name, from_=PEER, text="hi", push_name="Ada")
    # The socket of these recordings handed keys on that its library had not decoded.
    stage.fake.instances[stage.name].messages[-1].key.pop("addressingMode", None)


_SENT: dict[str, tuple[str, dict[str, Any]]] = {
    "3EB0AF645327FE4D8C3076": ("sendText", {"text": "Hello"}),
    "3EB08F6E8B7750AD7AA6F8": (
        "sendMedia",
        {"mediatype": "image", "media": "iVBORw0KGgo=", "caption": "cap"},
    ),
    "3EB08D8602D5485CF5003F": ("sendWhatsAppAudio", {"audio": "SUQzBAAA"}),
}


def _earlier_sends(stage: Stage) -> None:
    """Messages that the exchange names by id, sent under those ids."""
    for key_id, (route, body) in _SENT.items():
        stage.ask("POST", f"/message/{route}/sim-wa", {"number": PEER, **body})
        instance = stage.fake.instances["sim-wa"]
        row = instance.messages[-1]
        instance.remove_message(row)
        row.key["id"] = key_id
        instance.add_message(row)
    uploads = stage.fake.kernel.server.network.uploads
    message = (stage.exchange.body or {}).get("message", {}).get("message", {})
    for node in message.values():
        if isinstance(node, dict) and "directPath" in node:
            uploads[node["directPath"]] = b"uploaded"


def _replay_sends(stage: Stage) -> None:
    """All sends of this channel recorded as accepted, one second apart."""
    for sent in load("message", stage.exchange.version):
        same = sent.channel == stage.exchange.channel and f"/{stage.name}" in sent.request["path"]
        accepted = sent.response["status"] == 201 and "key" in sent.response.get("json", {})
        if same and accepted:
            reply = stage.replay(sent)
            assert reply.status == 201, (sent.id, reply.body[:200])
            stage.fake.clock.advance(1_000 + reply.hold_ms)


def _statuses(stage: Stage) -> None:
    """The statuses that had been reported of the message asked for."""
    instance = stage.fake.instances[stage.name]
    wanted = ((stage.exchange.body or {}).get("where") or {}).get("id")
    if stage.exchange.simulated:
        words = ("DELIVERY_ACK", "READ")
    else:
        words = ("SENT", "DELIVERED", "FAILED", "READ")
        row = instance.messages[0]
        instance.remove_message(row)
        row.key["id"] = wanted or row.key["id"]
        instance.add_message(row)
    for word in words:
        stage.fake.deliver(wanted or instance.messages[0].key["id"], word)


def _rename_first(stage: Stage) -> None:
    """The first message bears the id asked for."""
    instance = stage.fake.instances[stage.name]
    row = instance.messages[0]
    instance.remove_message(row)
    row.key["id"] = stage.exchange.body["where"]["key"]["id"]
    instance.add_message(row)


def _webhook(stage: Stage) -> None:
    hook = {"enabled": True, "url": "http://127.0.0.1:8087/ok", "headers": {"X-Custom": "abc"},
            "byEvents": True, "base64": True, "events": ["MESSAGES_UPSERT"]}  # fmt: skip
    stage.ask("POST", f"/webhook/set/{stage.name}", {"webhook": hook})


def _webhook_off(stage: Stage) -> None:
    hook = {"enabled": False, "url": "http://127.0.0.1:8087/ok", "events": []}
    stage.ask("POST", f"/webhook/set/{stage.name}", {"webhook": hook})


def _request(method: str, path: str, body: Any = None) -> Callable[[Stage], None]:
    return lambda stage: stage.ask(method, path.format(name=stage.name), body)


def _meta(stage: Stage) -> None:
    stage.fake.meta.refuse("5511131030", code=131_030, message="refused", details="more")
    stage.fake.meta.refuse("5511429429", code=130_429, message="limit", details="more")


def _business_id(stage: Stage) -> None:
    stage.fake.instances["biz-chan"].id = "463f4306-b1d3-4184-bd6a-2d59e04b7bf7"


def _unload_all_but(*kept: str) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        for name in list(stage.fake.instances):
            if name not in kept:
                stage.ask("DELETE", f"/instance/delete/{name}")

    return act


_CHATWOOT = {
    "instanceName": "bai-cw", "integration": "WHATSAPP-BAILEYS", "chatwootAccountId": "1",
    "chatwootToken": "t", "chatwootUrl": "http://127.0.0.1:8086/cw", "chatwootSignMsg": True,
    "chatwootReopenConversation": True, "chatwootConversationPending": False,
}  # fmt: skip
_FULL = {
    "instanceName": "bai-full", "integration": "WHATSAPP-BAILEYS", "number": "5511900000009",
    "token": "full-token", "websocket": {"enabled": True, "events": ["MESSAGES_UPSERT"]},
}  # fmt: skip
_PROXY = {
    "id": "x", "enabled": False, "host": "", "port": "", "protocol": "", "username": "",
    "password": "", "createdAt": "2026-11-23T15:31:25.140Z",
    "updatedAt": "2026-11-23T15:31:25.140Z", "instanceId": "x",
}  # fmt: skip


_SUBSCRIPTION = {
    name: _PROXY[name] for name in ("id", "enabled", "createdAt", "updatedAt", "instanceId")
} | {"events": ["SEND_MESSAGE"]}
_LISTENING = {
    "instanceName": "ev-500", "integration": "EVOLUTION", "number": "5511900000500",
    "token": "tok-500", "websocket": {"enabled": True, "events": []},
}  # fmt: skip
_VARIANT = {
    "instanceName": "va", "integration": "EVOLUTION", "number": "5511900000001",
    "rabbitmq": {"enabled": True, "events": []},
}  # fmt: skip


def _log_out(stage: Stage) -> None:
    name = "nr-evo" if stage.exchange.family == "new_routes" else "evo-chan"
    stage.ask("DELETE", f"/instance/logout/{name}")


def _create(body: dict[str, Any]) -> Callable[[Stage], None]:
    return lambda stage: stage.ask("POST", "/instance/create", body)


def _listener_of_before(stage: Stage) -> None:
    """An instance that had subscribed while the websocket was still on."""
    stage.fake.create_instance("ev-500", integration="EVOLUTION", number="5511900000500")
    stage.fake.instances["ev-500"].relations["Websocket"] = _SUBSCRIPTION


def _proxy(stage: Stage) -> None:
    """A proxy and a websocket had been set, by routes of other families."""
    instance = stage.fake.instances[stage.name or "evo-chan"]
    instance.relations["Proxy"] = _PROXY
    instance.relations["Websocket"] = {**_SUBSCRIPTION, "events": []}


ARRANGEMENTS = [
    *exchange_versions.FIRST,
    Arrangement("", _base, unless=r"create\.(evolution|business)$|^variant"),
    Arrangement("", _offline, OFFLINE, unless=r"^notconnected"),
    Arrangement(r"^notconnected", _add("bai-never", "WHATSAPP-BAILEYS", state="close")),
    Arrangement(r"^notconnected\.connecting", _connecting),
    Arrangement(r"^notconnected\.lost", _lost),
    Arrangement(r"^notconnected", _group),
    Arrangement(r"^notconnected\.\w+_cached", _cached_number, unless="not_cached"),
    Arrangement("", _simulated, SIM, unless=r"^instance\.create"),
    Arrangement("", _online, SIM, unless=r"^instance\.(create|connect\.)|connecting$|before$"),
    Arrangement(r"pairing_code", _add("sim-pair2", "WHATSAPP-BAILEYS", state="close"), SIM),
    Arrangement(r"(again_while_)?connecting$", _request("GET", "/instance/connect/sim-wa"), SIM),
    Arrangement(r"State\.after_logout", _request("DELETE", "/instance/logout/sim-wa"), SIM),
    Arrangement(r"quoted_by_sent_id|getBase64|updateMessage|deleteMessage|findStatusMessage",
                _earlier_sends, SIM),
    Arrangement(r"chat\.find(Messages|Chats|ChatByRemoteJid)", _replay_sends),
    Arrangement(r"findMessages\.by_key_id", _rename_first, "EVOLUTION"),
    Arrangement(r"findMessages\.by_key_id", _rename_first, SIM),
    Arrangement(r"findStatusMessage", _replay_sends, "WHATSAPP-BUSINESS"),
    Arrangement(r"findStatusMessage|findMessages\.empty_body", _statuses, "WHATSAPP-BUSINESS"),
    Arrangement(r"findStatusMessage", _statuses, SIM),
    Arrangement(r"findContacts|findChats|whatsappNumbers$", _ada, SIM),
    Arrangement(r"findContacts|findChats|findMessages\.page", _ada, "EVOLUTION"),
    Arrangement(r"findMessages\.empty_body", _ada, "WHATSAPP-BUSINESS"),
    Arrangement(r"create\.extra_unknown|delete\.x-extra", _add("x-extra", "EVOLUTION"),
                unless=r"create"),
    Arrangement(r"special_name", _add("my inst/é#1", "EVOLUTION"), unless="create"),
    Arrangement(r"bai-full|\.by_name\.baileys|with_number", _create(_FULL)),
    Arrangement(r"bai-cw|by_name\.chatwoot", _create(_CHATWOOT), unless="create"),
    Arrangement(r"fetchInstances\.by_id", _business_id),
    Arrangement(r"fetchInstances\.evolution\.after_logout", _proxy),
    Arrangement(r"fetchInstances\.all", _create(_FULL)),
    Arrangement(r"fetchInstances\.all", _create(_CHATWOOT)),
    Arrangement(r"fetchInstances\.final", _unload_all_but()),
    Arrangement(r"fetchInstances\.final", _add("x-wh2", "EVOLUTION")),
    Arrangement(r"fetchInstances\.final", _create(_LISTENING)),
    Arrangement(r"\.evolution\.again|evolution\.after_logout",
                _log_out),
    Arrangement(r"delete\.evolution\.again", _request("DELETE", "/instance/delete/evo-chan")),
    Arrangement(r"business\.after_logout$|sendText\.after_logout",
                _request("DELETE", "/instance/logout/biz-chan"), "WHATSAPP-BUSINESS"),
    Arrangement(r"right_after_delete|delete\.whatsapp-business\.again",
                _request("DELETE", "/instance/delete/{name}")),
    Arrangement(r"business\.meta", _meta),
    Arrangement(r"^webhook\.(set\.(empty|v1_names|disable$)|find\.after)", _webhook),
    Arrangement(r"^webhook\.find\.after_disable", _webhook_off),
    Arrangement(r"^settings\.find\.\S+after_set",
                lambda stage: stage.ask("POST", f"/settings/set/{stage.name}",
                                        {"rejectCall": True, "groupsIgnore": True,
                                         "alwaysOnline": False, "readMessages": False,
                                         "readStatus": False, "syncFullHistory": False,
                                         "msgCall": "No calls please"})),
    Arrangement(r"^variant", _create(_VARIANT)),
    Arrangement(r"^variant\.fetchInstances$", _listener_of_before),
    Arrangement(r"^variant\.fetchInstances$",
                _add("va-cw", "WHATSAPP-BAILEYS", state="close")),
    *exchange_integrations.ARRANGEMENTS,
    *exchange_accounts.ARRANGEMENTS,
    *exchange_versions.ARRANGEMENTS,
]  # fmt: skip
