"""findMessages, findStatusMessage, findContacts and findChats: filters, paging, order, traps."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of

from evolution_sdk.testing import FakeClock, FakeEvolution

PEER = "5511999999999"
JID = f"{PEER}@s.whatsapp.net"
SEND = "/message/sendText/sales"
START_S = 1_767_225_600


@pytest.fixture
def many(fake: FakeEvolution, ask: Any) -> FakeEvolution:
    """Seven texts, one second apart."""
    for index in range(7):
        ask("POST", SEND, {"number": PEER, "text": str(index)})
        fake.clock.advance(1_000)
    return fake


def page(ask: Any, **query: Any) -> dict[str, Any]:
    return body_of(ask("POST", "/chat/findMessages/sales", query))["messages"]


def texts(found: dict[str, Any]) -> list[str]:
    return [record["message"]["conversation"] for record in found["records"]]


@pytest.mark.usefixtures("many")
class TestPaging:
    def test_newest_first_with_offset_as_size(self, ask: Any) -> None:
        found = page(ask, offset=3)
        assert texts(found) == ["6", "5", "4"]
        assert (found["total"], found["pages"], found["currentPage"]) == (7, 3, 1)

    def test_last_page_is_short(self, ask: Any) -> None:
        assert texts(page(ask, offset=3, page=3)) == ["0"]

    def test_page_as_text_counts_and_is_echoed(self, ask: Any) -> None:
        found = page(ask, offset=2, page="2")
        assert texts(found) == ["4", "3"]
        assert found["currentPage"] == "2"

    def test_limit_is_ignored(self, ask: Any) -> None:
        assert len(page(ask, limit=1)["records"]) == 7

    def test_nought_means_the_default(self, ask: Any) -> None:
        assert len(page(ask, offset=0, page=0)["records"]) == 7

    @pytest.mark.parametrize("query", [{"offset": "3"}, {"page": -1}, {"offset": 2.5}])
    def test_bad_numbers_are_database_errors(self, ask: Any, query: dict[str, Any]) -> None:
        reply = ask("POST", "/chat/findMessages/sales", query)
        assert reply.status == 500
        # A minified build names another call, so that only the end tells.
        message = body_of(reply)["response"]["message"]
        assert "prismaRepository.message" not in message
        assert message.rsplit("\n", 1)[-1].startswith("Argument `")


@pytest.mark.usefixtures("many")
class TestFilters:
    def test_by_key_id(self, ask: Any, many: FakeEvolution) -> None:
        wanted = many.sent[3].key_id
        assert texts(page(ask, where={"key": {"id": wanted}})) == ["3"]

    def test_by_row_id(self, ask: Any) -> None:
        row = page(ask, offset=1)["records"][0]["id"]
        assert texts(page(ask, where={"id": row})) == ["6"]

    def test_by_remote_jid(self, ask: Any) -> None:
        assert page(ask, where={"key": {"remoteJid": JID}})["total"] == 7
        assert page(ask, where={"key": {"remoteJid": PEER}})["total"] == 0

    def test_from_me_false_is_ignored(self, ask: Any, many: FakeEvolution) -> None:
        many.receive_text("sales", from_=PEER, text="in")
        assert page(ask, where={"key": {"fromMe": False}})["total"] == 8
        assert page(ask, where={"key": {"fromMe": True}})["total"] == 7

    def test_by_type_and_source(self, ask: Any, many: FakeEvolution) -> None:
        many.receive_text("sales", from_=PEER, text="in")
        assert page(ask, where={"messageType": "imageMessage"})["total"] == 0
        assert page(ask, where={"source": "ios"})["total"] == 1

    def test_unknown_source_is_a_database_error(self, ask: Any) -> None:
        reply = ask("POST", "/chat/findMessages/sales", {"where": {"source": "fax"}})
        assert reply.status == 500

    def test_by_time_needs_both_bounds(self, ask: Any) -> None:
        window = {"gte": "2026-01-01T00:00:02Z", "lte": "2026-01-01T00:00:03.500Z"}
        assert texts(page(ask, where={"messageTimestamp": window})) == ["3", "2"]
        low = {"messageTimestamp": {"gte": window["gte"]}}
        assert page(ask, where=low)["total"] == 7

    def test_time_in_milliseconds(self, ask: Any) -> None:
        window = {"gte": START_S * 1000 + 5_000, "lte": START_S * 1000 + 9_000}
        assert texts(page(ask, where={"messageTimestamp": window})) == ["6", "5"]

    def test_time_that_is_none_is_a_database_error(self, ask: Any) -> None:
        window = {"gte": "yesterday", "lte": "today"}
        reply = ask("POST", "/chat/findMessages/sales", {"where": {"messageTimestamp": window}})
        assert reply.status == 500


def test_participant_filters_baileys_only(fake: FakeEvolution, ask: Any) -> None:
    group = "120363000000000001@g.us"
    fake.create_instance("evo", integration="EVOLUTION")
    for name in ("sales", "evo"):
        fake.receive_text(name, from_=group, text="a", participant=JID)
        fake.receive_text(name, from_=group, text="b", participant="x@lid")
    where = {"where": {"key": {"participant": JID}}}
    assert page(ask, **where)["total"] == 1
    assert body_of(ask("POST", "/chat/findMessages/evo", where))["messages"]["total"] == 2


def test_delayed_message_shows_only_after_its_delay(fake: FakeEvolution, ask: Any) -> None:
    reply = ask("POST", SEND, {"number": PEER, "text": "later", "delay": 5_000})
    assert reply.hold_ms == 5_000
    assert page(ask)["total"] == 0
    fake.clock.advance(5_000)
    record = page(ask)["records"][0]
    assert record["messageTimestamp"] == START_S + 5


@pytest.mark.parametrize(
    ("integration", "stored"), [("WHATSAPP-BAILEYS", 0), ("WHATSAPP-BUSINESS", 1), ("EVOLUTION", 1)]
)
def test_store_messages_off_counts_for_baileys_only(integration: str, stored: int) -> None:
    fake = FakeEvolution(api_key="k", store_messages=False, clock=FakeClock())
    fake.create_instance("x", integration=integration)
    client = fake.http_client(headers={"apikey": "k"})
    client.post("/message/sendText/x", json={"number": PEER, "text": "oi"})
    fake.assert_sent(PEER, text="oi")
    assert client.post("/chat/findMessages/x", json={}).json()["messages"]["total"] == stored


class TestStatuses:
    def test_rows_come_while_the_message_keeps_its_status(
        self, fake: FakeEvolution, ask: Any
    ) -> None:
        ask("POST", SEND, {"number": PEER, "text": "oi"})
        key_id = fake.sent[0].key_id
        for status in ("SERVER_ACK", "DELIVERY_ACK", "READ"):
            fake.deliver(key_id, status)
        rows = body_of(ask("POST", "/chat/findStatusMessage/sales", {"where": {"id": key_id}}))
        assert [row["status"] for row in rows] == ["SERVER_ACK", "DELIVERY_ACK", "READ"]
        record = page(ask)["records"][0]
        assert [u["status"] for u in record["MessageUpdate"]] == [row["status"] for row in rows]
        assert fake.instances["sales"].messages[0].status == "PENDING"

    def test_advance_goes_one_step_at_a_time(self, fake: FakeEvolution, ask: Any) -> None:
        ask("POST", SEND, {"number": PEER, "text": "oi"})
        assert [fake.advance() for _ in range(4)] == [1, 1, 1, 0]

    def test_auto_ack_moves_on_every_find(self) -> None:
        fake = FakeEvolution(api_key="k", auto_ack=True, clock=FakeClock())
        fake.create_instance("x")
        client = fake.http_client(headers={"apikey": "k"})
        client.post("/message/sendText/x", json={"number": PEER, "text": "oi"})
        found = [client.post("/chat/findStatusMessage/x", json={}).json() for _ in range(3)]
        assert [rows[-1]["status"] for rows in found] == ["SERVER_ACK", "DELIVERY_ACK", "READ"]

    def test_paged_and_filtered(self, fake: FakeEvolution, ask: Any) -> None:
        ask("POST", SEND, {"number": PEER, "text": "oi"})
        fake.advance()
        fake.advance()
        query = {"where": {"remoteJid": JID}, "offset": 1, "page": 2}
        rows = body_of(ask("POST", "/chat/findStatusMessage/sales", query))
        assert [row["status"] for row in rows] == ["DELIVERY_ACK"]

    def test_updates_not_stored_when_switched_off(self) -> None:
        fake = FakeEvolution(api_key="k", store_message_updates=False, clock=FakeClock())
        fake.create_instance("x")
        client = fake.http_client(headers={"apikey": "k"})
        client.post("/message/sendText/x", json={"number": PEER, "text": "oi"})
        fake.deliver(fake.sent[0].key_id, "READ")
        assert client.post("/chat/findStatusMessage/x", json={}).json() == []
        assert fake.events[-1]["data"]["status"] == "READ"

    def test_business_has_its_own_words(self, fake: FakeEvolution, ask: Any) -> None:
        fake.create_instance("biz", integration="WHATSAPP-BUSINESS")
        ask("POST", "/message/sendText/biz", {"number": PEER, "text": "oi"})
        fake.advance()
        row = body_of(ask("POST", "/chat/findStatusMessage/biz", {}))[0]
        assert (row["status"], row["fromMe"], row["participant"]) == ("SENT", False, JID)
        with pytest.raises(ValueError, match="WHATSAPP-BUSINESS reports"):
            fake.deliver(row["keyId"], "DELIVERY_ACK")

    def test_unknown_message(self, fake: FakeEvolution) -> None:
        with pytest.raises(KeyError, match="no instance has stored a message"):
            fake.deliver("nope", "READ")


class TestContactsAndChats:
    def test_contacts_filter_on_jid_and_page_by_offset(self, fake: FakeEvolution, ask: Any) -> None:
        for index in range(5):
            fake.receive_text("sales", from_=f"551199999000{index}", text="x", push_name="N")
        found = body_of(ask("POST", "/chat/findContacts/sales", {"offset": 2, "page": 3}))
        assert [contact["remoteJid"][:13] for contact in found] == ["5511999990004"]
        where = {"where": {"remoteJid": "5511999990001"}}
        assert len(body_of(ask("POST", "/chat/findContacts/sales", where))) == 1
        by_row = {"where": {"id": "5511999990001"}}
        assert body_of(ask("POST", "/chat/findContacts/sales", by_row)) == []
        by_name = {"where": {"pushName": "N"}}
        assert len(body_of(ask("POST", "/chat/findContacts/sales", by_name))) == 5

    def test_page_without_offset_breaks(self, ask: Any) -> None:
        assert ask("POST", "/chat/findContacts/sales", {"page": 2}).status == 500

    def test_chats_newest_first_by_take_and_skip(self, fake: FakeEvolution, ask: Any) -> None:
        for index in range(3):
            fake.receive_text("sales", from_=f"551199999000{index}", text="x")
            fake.clock.advance(1_000)
        rows = body_of(ask("POST", "/chat/findChats/sales", {"take": 1, "skip": 1}))
        assert [row["remoteJid"][:13] for row in rows] == ["5511999990001"]
        assert rows[0]["unreadCount"] == 1
        assert rows[0]["windowActive"] is True

    def test_window_closes_after_a_day(self, fake: FakeEvolution, ask: Any) -> None:
        fake.receive_text("sales", from_=PEER, text="x")
        fake.clock.advance(25 * 3600 * 1000)
        assert body_of(ask("POST", "/chat/findChats/sales", {}))[0]["windowActive"] is False

    def test_chat_without_messages_is_missing(self, fake: FakeEvolution, ask: Any) -> None:
        fake.add_contact("sales", PEER, "Ada")
        assert body_of(ask("POST", "/chat/findChats/sales", {})) == []

    def test_chat_by_jid_is_the_row(self, fake: FakeEvolution, ask: Any) -> None:
        fake.receive_text("sales", from_=PEER, text="x", push_name="Ada")
        row = body_of(ask("GET", f"/chat/findChatByRemoteJid/sales?remoteJid={JID}"))
        assert (row["name"], row["unreadMessages"], row["labels"]) == ("Ada", 1, None)
        read = {"readMessages": [{"id": "x", "remoteJid": JID, "fromMe": False}]}
        ask("POST", "/chat/markMessageAsRead/sales", read)
        row = body_of(ask("GET", f"/chat/findChatByRemoteJid/sales?remoteJid={JID}"))
        assert row["unreadMessages"] == 0

    def test_media_is_left_out_of_chats(self, fake: FakeEvolution, ask: Any) -> None:
        body = {"number": PEER, "mediatype": "image", "media": "iVBORw0KGgo=", "caption": "c"}
        ask("POST", "/message/sendMedia/sales", body)
        row = body_of(ask("POST", "/chat/findChats/sales", {}))[0]
        assert row["lastMessage"]["message"] == {"imageMessage": {"caption": "c"}}
