"""Server state before the exchanges of groups, labels, proxies, templates, shops and S3."""

from __future__ import annotations

from exchange_arrangement import Arrangement, Stage

PEER = "5511987654321"
OWNER = "5511900000099"
GROUP = "120363000000000001@g.us"
SIM = "WHATSAPP-BAILEYS (simulated socket)"
_OWN_LID, _PEER_LID = "111222333444555@lid", "999888777666555@lid"
_PICTURE = "https://pps.whatsapp.net/v/t61.24694-24/fake.jpg?ccb=11-4&oh=01&oe=00"
_PRODUCT = {
    "id": "p1", "name": "Prod", "price": 1000, "currency": "BRL",
    "imageUrls": {"requested": "https://x", "original": "https://x"},
    "reviewStatus": {"whatsapp": "APPROVED"}, "availability": "in stock", "url": "",
    "description": "d", "isHidden": False,
}  # fmt: skip
_COLLECTION = {
    "id": "c1", "name": "Col", "products": [], "status": {"status": "APPROVED", "canAppeal": False},
}  # fmt: skip


def _lids(stage: Stage) -> None:
    stage.fake.set_lid(OWNER, _OWN_LID)
    stage.fake.set_lid(PEER, _PEER_LID)


def _group(stage: Stage) -> None:
    """The group of the simulated network: its owner is the own account.

    That network forgets every change, so that somebody may be added who was there before.
    """
    adding = (stage.exchange.body or {}).get("action") == "add"
    stage.fake.groups.add(
        GROUP, "Test group", [_OWN_LID] if adding else [_OWN_LID, _PEER_LID],
        owner=_OWN_LID, description="A description", invite_code="F1EX5QZxO181L3TMVP31gY",
    )  # fmt: skip
    stage.fake.set_profile(GROUP, picture=_PICTURE, about=None)


def _label(stage: Stage) -> None:
    stage.fake.labels.add("sim-wa", "1", "New customer", predefined_id="1")


def _proxy_off(stage: Stage) -> None:
    body = {"enabled": False, "host": "h", "port": "1", "protocol": "http"}
    stage.ask("POST", f"/proxy/set/{stage.name}", body)


def _meta(stage: Stage) -> None:
    stage.fake.meta.refuse_template("bad_template")


def _first_template(stage: Stage) -> None:
    """The first channel had created the template; names are unique across instances."""
    body = {"name": "promo_1", "category": "MARKETING", "language": "en_US", "components": []}
    stage.ask("POST", "/template/create/evo-chan", body)


def _shops(stage: Stage) -> None:
    for number in (PEER, OWNER):
        stage.fake.set_shop(number, [_PRODUCT], [_COLLECTION])
    stage.fake.receive_text(stage.name, from_=PEER, text="hi", push_name="Ada")


def _picture(stage: Stage) -> None:
    stage.fake.set_profile(PEER, picture=_PICTURE)


def _session(stage: Stage) -> None:
    stage.ask("POST", "/baileys/assertSessions/sim-wa", {"jids": [f"{PEER}@s.whatsapp.net"]})


ARRANGEMENTS = [
    Arrangement(r"^(group|baileys)\.", _lids),
    Arrangement(r"^group\.", _group),
    Arrangement(r"^label\.", _label, SIM),
    Arrangement(r"^proxy\.find\.after", _proxy_off),
    Arrangement(r"^template\.", _meta),
    Arrangement(r"^template\.create$", _first_template, "WHATSAPP-BUSINESS"),
    Arrangement(r"^template\.create$", _first_template, "WHATSAPP-BAILEYS"),
    Arrangement(r"^business\.", _shops, SIM),
    Arrangement(r"^baileys\.", _picture, SIM),
    Arrangement(r"^baileys\.(signal|createParticipantNodes)", _session, SIM),
]
