"""Labels, calls, shops and the library's own functions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeEvolution

PEER = "5511987654321"
JID = f"{PEER}@s.whatsapp.net"
GONE = "5511999000000"
LABEL = {"number": PEER, "labelId": "1", "action": "add"}


class TestLabels:
    def test_come_from_the_phone(self, ask: Any, fake: FakeEvolution) -> None:
        fake.labels.add("sales", "1", "Novo cliente ✓", color=4, predefined_id="2")
        fake.labels.add("sales", "1", "Old", color=5)
        assert body_of(ask("GET", "/label/findLabels/sales")) == [
            {"color": "5", "name": "Old", "id": "1", "predefinedId": None}
        ]
        first = next(e["data"] for e in fake.events if e["event"] == "labels.edit")
        assert first == {
            "id": "1", "name": "Novo cliente ✓", "color": 4, "deleted": False,
            "predefinedId": "2", "instance": "sales",
        }  # fmt: skip
        fake.labels.add("sales", "2", "Novo ✓")
        assert body_of(ask("GET", "/label/findLabels/sales"))[1]["name"] == "Novo "

    def test_are_put_on_although_the_answer_is_400(self, ask: Any, fake: FakeEvolution) -> None:
        reply = ask("POST", "/label/handleLabel/sales", LABEL)
        assert (reply.status, message_of(reply)[0]) == (400, "Unable to add label to chat")
        assert "42P10" in message_of(reply)[1]
        assert fake.instances["sales"].labelled == {JID: {"1"}}
        assert not [e for e in fake.events if e["event"] == "labels.association"]

    def test_with_the_index_that_is_missing(self, ask: Any, fake: FakeEvolution) -> None:
        fake.labels.set_bookkeeping(works=True)
        added = ask("POST", "/label/handleLabel/sales", LABEL)
        assert (added.status, body_of(added)) == (
            200, {"numberJid": JID, "labelId": "1", "add": True}
        )  # fmt: skip
        chat = fake.instances["sales"].chat(JID)
        assert chat is not None
        assert chat["labels"] == ["1"]
        removed = ask("POST", "/label/handleLabel/sales", {**LABEL, "action": "remove"})
        assert body_of(removed) == {"numberJid": JID, "labelId": "1", "remove": True}
        assert chat["labels"] == []
        assert fake.events[-1]["data"] == {
            "instance": "sales", "type": "remove", "chatId": JID, "labelId": "1"
        }  # fmt: skip

    def test_need_whatsapp(self, ask: Any, fake: FakeEvolution) -> None:
        fake.not_on_whatsapp(GONE)
        reply = ask("POST", "/label/handleLabel/sales", {**LABEL, "number": GONE})
        assert (reply.status, message_of(reply)) == (404, ["Number is not on WhatsApp"])
        fake.set_state("sales", "connecting")
        unknown = ask("POST", "/label/handleLabel/sales", LABEL)
        assert (unknown.status, message_of(unknown)) == (500, "Connection Closed")
        fake.cache_number(PEER)
        known = message_of(ask("POST", "/label/handleLabel/sales", LABEL))
        assert known == ["Unable to add label to chat", "Error: App state key not present!"]
        assert fake.instances["sales"].labelled == {}


def test_no_call_is_placed(ask: Any, fake: FakeEvolution) -> None:
    call = {"number": "+55 (11) 98765-4321", "callDuration": 15}
    reply = ask("POST", "/call/offer/sales", call)
    assert (reply.status, body_of(reply)) == (201, {"id": "123", "jid": JID, "callDuration": 15})
    for seconds in (0, 16, 1.5):
        assert ask("POST", "/call/offer/sales", {**call, "callDuration": seconds}).status == 400
    assert fake.events == [e for e in fake.events if e["event"] != "call"]


class TestShops:
    def _ask(self, ask: Any, path: str, body: dict[str, Any], name: str = "sales") -> Any:
        return ask("POST", f"/business/{path}/{name}", body)

    def test_catalogue_holds_five_pages(self, ask: Any, fake: FakeEvolution) -> None:
        fake.set_shop(PEER, [{"id": f"p{n}"} for n in range(60)])
        fake.set_profile(PEER, business={"description": "d"})
        found = body_of(self._ask(ask, "getCatalog", {"number": PEER}))
        assert (found["wuid"], found["isBusiness"], found["catalogLength"]) == (JID, True, 50)
        assert body_of(self._ask(ask, "getCatalog", {"number": PEER, "limit": 2}))["catalog"] == [
            {"id": f"p{n}"} for n in range(10)
        ]

    def test_collections_are_limited_to_twenty(self, ask: Any, fake: FakeEvolution) -> None:
        fake.set_shop(PEER, collections=[{"id": f"c{n}"} for n in range(30)])
        for limit, length in ((None, 20), (100, 20), (3, 3)):
            body = {"number": PEER} if limit is None else {"number": PEER, "limit": limit}
            found = body_of(self._ask(ask, "getCollections", body))
            assert found["collectionsLength"] == len(found["collections"]) == length

    def test_the_own_one(self, ask: Any, fake: FakeEvolution) -> None:
        fake.set_shop("5511900000099", [{"id": "own"}])
        assert body_of(self._ask(ask, "getCatalog", {}))["catalog"] == [{"id": "own"}]
        assert body_of(self._ask(ask, "getCatalog", {"number": PEER}))["catalog"] == []

    def test_failures_have_metas_shape(self, ask: Any, fake: FakeEvolution) -> None:
        fake.not_on_whatsapp(GONE)
        reply = self._ask(ask, "getCatalog", {"number": GONE})
        body = body_of(reply)
        assert (reply.status, body["message"][0]["exists"]) == (400, False)
        assert body["details"]["context"] == "business_catalog"
        assert re.fullmatch(r"\d{4}-.+Z", body["timestamp"])
        broken = body_of(self._ask(ask, "getCollections", {"limit": "3"}))
        assert broken["message"] == [["limit is not of a type(s) number"]]
        assert broken["details"]["context"] == "business_collections"
        gone = self._ask(ask, "getCatalog", {}, "nope")
        assert (gone.status, "response" in body_of(gone)) == (404, True)

    def test_a_known_number_hides_the_lost_connection(self, ask: Any, fake: FakeEvolution) -> None:
        fake.set_state("sales", "connecting")
        assert body_of(self._ask(ask, "getCatalog", {"number": PEER}))["message"] == (
            "Connection Closed"
        )
        fake.cache_number(PEER)
        for path in ("getCatalog", "getCollections"):
            reply = self._ask(ask, path, {"number": PEER})
            assert (reply.status, body_of(reply)) == (
                200, {"wuid": JID, "name": None, "isBusiness": False}
            )  # fmt: skip


class TestLowLevel:
    def _ask(self, ask: Any, path: str, body: Any = None, name: str = "sales") -> Any:
        return ask("POST", f"/baileys/{path}/{name}", {} if body is None else body)

    def test_look_ups(self, ask: Any, fake: FakeEvolution) -> None:
        fake.set_lid(PEER, "77@lid")
        fake.not_on_whatsapp(GONE)
        fake.set_profile(PEER, picture="https://p")
        assert body_of(self._ask(ask, "onWhatsapp", {"jid": JID})) == [
            {"jid": JID, "exists": True, "lid": "77@lid"}
        ]
        for jid in (f"{GONE}@s.whatsapp.net", "77@lid"):
            assert body_of(self._ask(ask, "onWhatsapp", {"jid": jid})) == []
        assert body_of(self._ask(ask, "profilePictureUrl", {"jid": JID})) == "https://p"
        none = self._ask(ask, "profilePictureUrl", {"jid": "1@s.whatsapp.net"})
        assert (none.status, none.body) == (200, b"")
        devices = {"jids": [JID, JID, f"{GONE}@s.whatsapp.net"]}
        assert body_of(self._ask(ask, "getUSyncDevices", devices)) == [{"user": PEER, "device": 0}]
        assert (
            body_of(self._ask(ask, "getUSyncDevices", {**devices, "ignoreZeroDevices": True})) == []
        )

    def test_sessions_come_before_encryption(self, ask: Any) -> None:
        nodes = {"jids": [JID], "message": {"conversation": "x"}, "extraAttrs": {"mediatype": "a"}}
        assert message_of(self._ask(ask, "createParticipantNodes", nodes)) == "No sessions"
        asked = [body_of(self._ask(ask, "assertSessions", {"jids": [JID]})) for _ in range(2)]
        assert asked == [True, False]
        made = body_of(self._ask(ask, "createParticipantNodes", nodes))
        assert (made["nodes"][0]["attrs"], made["shouldIncludeDeviceIdentity"]) == (
            {"jid": JID}, True
        )  # fmt: skip
        assert made["nodes"][0]["content"][0]["attrs"] == {
            "v": "2", "type": "pkmsg", "mediatype": "a"
        }  # fmt: skip

    def test_decryption(self, ask: Any) -> None:
        body = {"jid": JID, "type": "msg", "ciphertext": "AA=="}
        path = "signalRepositoryDecryptMessage"
        assert message_of(self._ask(ask, path, body)) == "No session record"
        self._ask(ask, "assertSessions", {"jids": [JID]})
        assert body_of(self._ask(ask, path, body)) == "AQI="
        for change, words in (
            ({"type": "skmsg"}, "Unknown message type: skmsg"),
            ({"type": "pkmsg"}, "Incompatible version number on PreKeyWhisperMessage"),
            ({"ciphertext": 1}, "The first argument must be of type string"),
        ):
            reply = self._ask(ask, path, {**body, **change})
            assert (reply.status, message_of(reply).startswith(words)) == (500, True)
        assert self._ask(ask, path, {**body, "type": "pkmsg", "ciphertext": "MwAA"}).status == 200

    def test_tags_count_up(self, ask: Any) -> None:
        tags = [body_of(self._ask(ask, "generateMessageTag")) for _ in range(2)]
        assert [tag.rpartition("-")[2] for tag in tags] == ["1", "2"]
        assert re.fullmatch(r"\d+\.\d+-1", tags[0])
        assert tags[0].rpartition("-")[0] == tags[1].rpartition("-")[0]

    def test_raw_nodes(self, ask: Any, fake: FakeEvolution) -> None:
        node = {"tag": "presence", "attrs": {}}
        sent = self._ask(ask, "sendNode", {"stanza": node})
        assert (sent.status, sent.body) == (200, b"")
        assert fake.instances["sales"].protocol.nodes == [node]
        fake.set_state("sales", "connecting")
        assert message_of(self._ask(ask, "sendNode", {"stanza": node})) == "Connection Closed"
        assert message_of(self._ask(ask, "sendNode", {"stanza": {}})) == (
            "Invalid node: tag cannot be undefined"
        )
        assert message_of(self._ask(ask, "sendNode")).startswith("Cannot destructure")

    def test_credentials_come_with_a_login(self, ask: Any, fake: FakeEvolution) -> None:
        fake.set_lid("5511900000099", "88@lid")
        assert body_of(self._ask(ask, "getAuthState")) == {
            "me": {"id": "5511900000099:12@s.whatsapp.net", "lid": "88:12@lid",
                   "name": "Fake Owner"},
            "account": {},
        }  # fmt: skip
        fake.create_instance("busy", state="connecting")
        assert body_of(self._ask(ask, "getAuthState", name="busy")) == {}

    @pytest.mark.parametrize(
        ("path", "member", "body"),
        [
            ("onWhatsapp", "onWhatsApp", {"jid": JID}),
            ("profilePictureUrl", "profilePictureUrl", {"jid": JID}),
            ("assertSessions", "assertSessions", {"jids": [JID]}),
            ("createParticipantNodes", "createParticipantNodes", {"jids": []}),
            ("getUSyncDevices", "getUSyncDevices", {"jids": [JID]}),
            ("generateMessageTag", "generateMessageTag", {}),
            ("sendNode", "sendNode", {"stanza": {}}),
            ("signalRepositoryDecryptMessage", "signalRepository", {"ciphertext": ""}),
            ("getAuthState", "authState", {}),
        ],
    )
    def test_never_connected(
        self, ask: Any, fake: FakeEvolution, path: str, member: str, body: Any
    ) -> None:
        fake.create_instance("new", state="close")
        reply = self._ask(ask, path, body, "new")
        assert (reply.status, message_of(reply)) == (
            500, f"Cannot read properties of undefined (reading '{member}')"
        )  # fmt: skip

    def test_without_arguments(self, ask: Any) -> None:
        assert message_of(self._ask(ask, "onWhatsapp")).endswith("(reading 'replace')")
        assert message_of(self._ask(ask, "createParticipantNodes")).endswith("(reading 'length')")
        assert body_of(self._ask(ask, "assertSessions")) is False
        assert body_of(self._ask(ask, "getUSyncDevices")) == []
        for jids, words in ((5, "number 5"), (True, "boolean true"), ({}, "object")):
            refused = self._ask(ask, "assertSessions", {"jids": jids})
            assert (refused.status, message_of(refused).startswith(f"{words} is not")) == (
                500,
                True,
            )

    def test_bodies_are_checked_as_if_to_create(self, ask: Any) -> None:
        reply = self._ask(ask, "onWhatsapp", {"jid": JID, "token": 5})
        assert (reply.status, message_of(reply)) == (400, [["token is not of a type(s) string"]])


@pytest.mark.parametrize("kind", ["EVOLUTION", "WHATSAPP-BUSINESS"])
def test_other_channels_lack_it_all(ask: Any, fake: FakeEvolution, kind: str) -> None:
    fake.create_instance("x", integration=kind)
    of_business = "Method not available on WhatsApp Business API"
    own = (
        of_business if kind == "WHATSAPP-BUSINESS" else "Method not available on Evolution Channel"
    )
    assert message_of(ask("POST", "/label/handleLabel/x", LABEL)) == [own]
    call = {"number": PEER, "callDuration": 1}
    assert message_of(ask("POST", "/call/offer/x", call)) == [of_business]
    shop = ask("POST", "/business/getCatalog/x", {})
    assert (shop.status, body_of(shop)["message"]) == (
        400, "this.waMonitor.waInstances[s].fetchCatalog is not a function"
    )  # fmt: skip
    low = ask("POST", "/baileys/sendNode/x", {})
    assert (low.status, message_of(low)) == (
        500, "this.waMonitor.waInstances[s].baileysSendNode is not a function"
    )  # fmt: skip
