"""Server state before the exchanges that were recorded of versions beside 2.3.6."""

from __future__ import annotations

from collections.abc import Callable

from exchange_arrangement import Arrangement, Stage
from exchange_data import load

from evolution_sdk.testing.fake.chatbots.rows import SESSIONS

_OTHERS = r"^2\.(2\.3|3\.7|4)"
_OWNER, _ADA, _BIA = "5511900000001", "5511900000002", "5511900000003"
_GROUP = "120363000000000001@g.us"
_CHANNEL = "120363400000000001@newsletter"
_PICTURE = "https://pps.whatsapp.net/v/t61.24694-24/sim.jpg?ccb=11-4&oh=01&oe=00"
_NEW = (
    ("nr-evo", "EVOLUTION", "5511900000011"),
    ("nr-biz", "WHATSAPP-BUSINESS", "100000000000001"),
    ("nr-bai", "WHATSAPP-BAILEYS", None),
)
_MUG = {
    "id": "1", "name": "Caneca", "description": "Azul", "price": 3990, "currency": "BRL",
    "imageUrls": {}, "reviewStatus": {"whatsapp": "approved"}, "availability": "in stock",
    "url": "", "retailerId": "c1", "isHidden": False,
}  # fmt: skip
_BUSINESS = {"wid": f"{_ADA}@s.whatsapp.net"}
_WITH_IDS = ("message.sendText.messageId", "message.sendText.messageId.again")


def _new_instances(stage: Stage) -> None:
    """Those of `facts/versions/2.3.7/new_routes.json`: Baileys was never connected."""
    if stage.exchange.family != "new_routes":
        return
    for name, integration, number in _NEW:
        state = "close" if integration == "WHATSAPP-BAILEYS" else "open"
        stage.fake.create_instance(name, integration=integration, number=number, state=state)


def _replay(*names: str) -> Callable[[Stage], None]:
    """Replay what stands before an exchange in the same file, on the same channel."""

    def act(stage: Stage) -> None:
        exchange = stage.exchange
        for earlier in load(exchange.family, exchange.version)[: exchange.index]:
            if earlier.name in names and earlier.channel == exchange.channel:
                stage.replay(earlier)

    return act


def _no_session(stage: Stage) -> None:
    """No flow had answered: the start of one opened no session."""
    for instance in stage.fake.instances.values():
        instance.tables.pop(SESSIONS, None)


FIRST = [Arrangement("", _new_instances, versions=_OTHERS)]
ARRANGEMENTS = [
    Arrangement("findMessages.messageId", _replay(*_WITH_IDS), versions=_OTHERS),
    Arrangement(r"^typebot\.fetchSessions$", _no_session, versions=_OTHERS),
    Arrangement("untrimmed", _replay("instance.create.trim"), versions=_OTHERS),
]


def simulate(stage: Stage) -> None:
    """The simulated WhatsApp of `facts/versions/2.3.7/baileys_exchanges.json`, and its past."""
    fake, name = stage.fake, stage.name
    if "instanceName=" in stage.exchange.request["path"]:
        name = stage.name = stage.exchange.request["path"].split("instanceName=")[1]
    fake.not_on_whatsapp("5511900000404")
    for number, digit in ((_OWNER, "1"), (_ADA, "2"), (_BIA, "3")):
        fake.set_lid(number, f"10000000000000{digit}@lid")
        fake.set_profile(number, picture=_PICTURE, about=None)
    lids = [f"10000000000000{digit}@lid" for digit in "123"]
    if "updateParticipant" in stage.exchange.name:
        # That network forgets every change, so that she may be added again.
        lids.remove(lids[1])
    fake.groups.add(
        _GROUP, "Equipe Exemplo", lids, owner=lids[1] if lids[2:] else None, admins=lids[:1],
        description="Grupo de teste", invite_code="SIMINVITECODE000000000",
    )  # fmt: skip
    fake.set_profile(_GROUP, picture=_PICTURE, about=None)
    if not name:
        return
    asked = stage.exchange.name
    fake.create_instance(name, state="close")
    if asked.startswith("webhook.find"):
        _replay("webhook.set every event")(stage)
    if asked not in ("instance.connect", "instance.connect again"):
        fake.scan_qr(name, owner=_OWNER, profile_name="Loja")
    if asked.startswith(("instance", "webhook")):
        return
    fake.receive_text(name, from_=_ADA, text="Olá", push_name="Ada", key_id="3ASIM00000000000001")
    fake.receive_text(
        name, from_=_GROUP, text="oi grupo", participant=lids[-1], key_id="3ASIM00000000000009"
    )
    fake.labels.add(name, "1", "Cliente novo", predefined_id="1")
    fake.labels.add(name, "2", "Pedido", color=3)
    fake.set_shop(_ADA, [_MUG])
    fake.set_profile(_ADA, picture=_PICTURE, about=None, business=_BUSINESS)
    network = fake.kernel.server.network
    if stage.exchange.version != "2.2.3":
        network.cache(f"{_BIA}@s.whatsapp.net", fake.clock.now_ms(), lid=True, aka=lids[-1])
    else:
        fake.add_contact(name, lids[-1], "Bia")
    if "group.participants" in asked:
        _known_by_lid(stage, lids[1:])
    _replay("sendText")(stage)
    _channel(stage)
    _poll(stage)
    _edited_by_id(stage)
    if stage.exchange.version == "2.3.7":
        # Her message had come under her hidden id.
        network.cache(f"{_ADA}@s.whatsapp.net", fake.clock.now_ms(), lid=True)


def _known_by_lid(stage: Stage, lids: list[str]) -> None:
    for lid in lids:
        nameless = stage.exchange.version == "2.3.7" and lid == lids[0]
        stage.fake.add_contact(stage.name, lid, None if nameless else "Somebody")
        stage.fake.instances[stage.name].contacts[-1]["profilePicUrl"] = _PICTURE


def _channel(stage: Stage) -> None:
    """A channel that had written; the server keeps it, although it announces nothing."""
    stage.fake.receive_text(stage.name, from_=_CHANNEL, text="novidade")


def _poll(stage: Stage) -> None:
    """A poll of Ada's with one vote."""
    options = [{"optionName": "Sim"}, {"optionName": "Não"}]
    node = {"name": "Vamos mesmo?", "options": options, "selectableOptionsCount": 1}
    key_id = "3ASIM00000000000033"
    stage.fake.receive(
        stage.name, from_=_ADA, kind="pollCreationMessageV3", key_id=key_id,
        message={"pollCreationMessageV3": node},
    )  # fmt: skip
    vote = {
        "pollCreationMessageKey": {"id": key_id, "remoteJid": f"{_ADA}@s.whatsapp.net"},
        "vote": {"selectedOptions": ["Não"]},
    }
    stage.fake.receive(
        stage.name, from_=_ADA, kind="pollUpdateMessage", message={"pollUpdateMessage": vote}
    )


def _edited_by_id(stage: Stage) -> None:
    """Messages that a request names by id bear it."""
    key_id = ((stage.exchange.body or {}).get("key") or {}).get("id")
    instance = stage.fake.instances[stage.name]
    if key_id is None or instance.message(key_id) is not None:
        return
    row = next(row for row in instance.messages if row.key["fromMe"])
    instance.remove_message(row)
    row.key["id"] = key_id
    instance.add_message(row)
