"""Proxies, templates and object storage."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeClock, FakeEvolution

PEER = "5511987654321"
PROXY = {"enabled": True, "host": "p.example.org", "port": "8080", "protocol": "http"}
LOGIN = {"username": "u", "password": "p"}
TEMPLATE = {"name": "promo", "category": "MARKETING", "language": "en_US", "components": []}


class TestProxies:
    def _set(self, ask: Any, **changes: Any) -> Any:
        return ask("POST", "/proxy/set/sales", {**PROXY, **LOGIN, **changes})

    def _found(self, ask: Any) -> Any:
        return body_of(ask("GET", "/proxy/find/sales"))

    def test_none_works_unless_told(self, ask: Any, fake: FakeEvolution) -> None:
        assert message_of(self._set(ask)) == ["Invalid proxy"]
        assert self._found(ask) is None
        fake.services.accept_proxy("p.example.org", 8080)
        set_ = self._set(ask)
        assert (set_.status, body_of(set_)) == (
            201, {"proxy": {"instanceName": "sales", "proxy": {**PROXY, **LOGIN}}}
        )  # fmt: skip
        assert {name: self._found(ask)[name] for name in (*PROXY, *LOGIN)} == {**PROXY, **LOGIN}
        assert message_of(self._set(ask, port="9")) == ["Invalid proxy"]
        assert message_of(self._set(ask, host="q.example.org")) == ["Invalid proxy"]

    @pytest.mark.parametrize("passing", [{}, {"host": "p.example.org"}, {"port": "8080"}])
    def test_places_left_open(self, ask: Any, fake: FakeEvolution, passing: dict[str, Any]) -> None:
        fake.services.accept_proxy(**passing)
        assert self._set(ask).status == 201

    def test_switching_off_forgets_the_place(self, ask: Any, fake: FakeEvolution) -> None:
        fake.services.accept_proxy()
        self._set(ask)
        row = self._found(ask)["id"]
        self._set(ask, enabled=False)
        off = self._found(ask)
        assert (off["id"], off["enabled"]) == (row, False)
        assert {off[name] for name in ("host", "port", "protocol", "username", "password")} == {""}

    def test_a_row_without_a_login_is_lost_silently(self, ask: Any, fake: FakeEvolution) -> None:
        fake.services.accept_proxy()
        assert ask("POST", "/proxy/set/sales", PROXY).status == 201
        assert self._found(ask) is None

    def test_given_when_creating(self, ask: Any, fake: FakeEvolution) -> None:
        body = {"instanceName": "via", "integration": "EVOLUTION"}
        place = {"proxyHost": "h", "proxyPort": "1", "proxyProtocol": "http"}
        login = {"proxyUsername": "u", "proxyPassword": "p"}
        refused = ask("POST", "/instance/create", {**body, **place, **login})
        assert (refused.status, message_of(refused)) == (400, ["Invalid proxy"])
        assert "via" not in fake.instances
        fake.services.accept_proxy("h")
        assert ask("POST", "/instance/create", {**body, **place, **login}).status == 201
        found = body_of(ask("GET", "/proxy/find/via"))
        assert (found["enabled"], found["host"], found["password"]) == (True, "h", "p")
        rows = body_of(ask("GET", "/instance/fetchInstances?instanceName=via"))
        assert rows[0]["Proxy"]["host"] == "h"

    def test_query_redirects(self, ask: Any) -> None:
        gone = ask("GET", "/proxy/find/sales?instanceName=nope")
        assert message_of(gone) == ['The "nope" instance does not exist']
        body = {**PROXY, "enabled": False}
        answer = body_of(ask("POST", "/proxy/set/sales?x=1", body))["proxy"]
        assert (answer["x"], answer["instanceName"]) == ("1", "sales")


class TestTemplates:
    @pytest.fixture(autouse=True)
    def _business(self, fake: FakeEvolution) -> None:
        fake.create_instance("biz", integration="WHATSAPP-BUSINESS")
        fake.instances["biz"].business_id = "200"

    def _create(self, ask: Any, on: str = "biz", **changes: Any) -> Any:
        return ask("POST", f"/template/create/{on}", {**TEMPLATE, **changes})

    def test_created_and_listed(self, ask: Any, fake: FakeEvolution) -> None:
        made = self._create(ask, webhookUrl="https://example.org/h")
        row = body_of(made)
        assert (made.status, row["name"], row["instanceId"]) == (
            201, "promo", fake.instances["biz"].id
        )  # fmt: skip
        assert row["template"] == {
            "id": row["templateId"], "status": "PENDING", "category": "MARKETING"
        }  # fmt: skip
        assert row["webhookUrl"] == "https://example.org/h"
        listed = body_of(ask("GET", "/template/find/biz"))
        assert [(t["name"], t["status"]) for t in listed] == [
            ("hello_world", "APPROVED"), ("promo", "PENDING")
        ]  # fmt: skip
        assert listed == fake.meta.templates("biz")

    def test_accounts_have_their_own(self, ask: Any) -> None:
        self._create(ask)
        assert len(body_of(ask("GET", "/template/find/sales"))) == 1

    def test_names_are_unique_across_instances(self, ask: Any, fake: FakeEvolution) -> None:
        self._create(ask)
        again = self._create(ask, "sales")
        body = body_of(again)
        assert (again.status, body["details"]["whatsapp_code"]) == (400, "P2002")
        assert "Unique constraint failed on the fields: (`name`)" in body["message"]
        kept = [t["name"] for t in fake.meta.templates("sales")][1:]
        assert kept == ["promo"], "Meta has it already"
        ask("DELETE", "/instance/delete/biz")
        assert self._create(ask, "sales").status == 201

    def test_refusals_are_metas(self, ask: Any, fake: FakeEvolution) -> None:
        fake.meta.refuse_template("promo", code=5, kind="T", error_subcode=7, title="A", text="B")
        body = body_of(self._create(ask))
        assert body["message"] == "A"
        details = body["details"]
        assert (details["whatsapp_error"], details["whatsapp_code"]) == ("B", 5)
        assert (details["error_type"], details["error_subcode"]) == ("T", 7)
        assert details["fbtrace_id"] == "AfakeTRACE000000000001"
        assert self._create(ask, name="other").status == 201
        fake.meta.refuse_template(
            "promo", message="Plain", error_subcode=None, title=None, text=None
        )
        plain = body_of(self._create(ask))
        assert (plain["message"], plain["details"]["error_subcode"]) == ("Plain", None)
        assert plain["details"]["error_user_msg"] == "Plain"

    def test_listing_what_meta_refuses_is_empty(self, ask: Any, fake: FakeEvolution) -> None:
        fake.meta.refuse_template("promo")
        assert ask("GET", "/template/find/biz").body != b""
        fake.meta.refuse_template()
        found = ask("GET", "/template/find/biz")
        assert (found.status, found.body) == (200, b"")
        assert self._create(ask, name="other").status == 400

    def test_meta_away(self, ask: Any, fake: FakeEvolution) -> None:
        fake.meta.set_reachable(False)
        for reply, context in (
            (self._create(ask), "template_creation"),
            (ask("GET", "/template/find/biz"), "template_find"),
        ):
            body = body_of(reply)
            assert (reply.status, body["details"]["context"]) == (400, context)
            assert body["message"].startswith("Connection error: ")
        sent = ask("POST", "/message/sendText/biz", {"number": PEER, "text": "x"})
        assert "reading 'message'" in message_of(sent)[0]
        fake.meta.set_reachable(True)
        assert self._create(ask).status == 201

    def test_too_long_for_the_table(self, ask: Any, fake: FakeEvolution) -> None:
        refused = self._create(ask, webhookUrl="x" * 501)
        assert (refused.status, "webhookUrl" in body_of(refused)["message"]) == (400, True)


class TestStorage:
    @pytest.fixture
    def fake(self) -> FakeEvolution:
        made = FakeEvolution(api_key="secret", clock=FakeClock(), features=frozenset({"s3"}))
        made.create_instance("sales", token="sales-token")
        made.create_instance("other")
        return made

    def _send(self, ask: Any, kind: str, name: str, path: str = "sales") -> Any:
        body = {"number": PEER, "mediatype": kind, "media": "aGk=", "fileName": name}
        return body_of(ask("POST", f"/message/sendMedia/{path}", body))

    def test_sent_media_are_kept(self, ask: Any, fake: FakeEvolution) -> None:
        sent = self._send(ask, "document", "a.pdf")
        listed = ask("POST", "/s3/getMedia/sales", {})
        (media,) = body_of(listed)
        assert (listed.status, media["type"], media["mimetype"]) == (
            201, "documentMessage", "application/pdf"
        )  # fmt: skip
        assert media["fileName"].endswith(f"/{sent['key']['id']}/documentMessage/a.pdf")
        assert media["createdAt"].endswith("T00:00:00.000Z")
        assert media["Message"]["key"] == sent["key"]
        assert sent["message"]["mediaUrl"] == media["Message"]["message"]["mediaUrl"]
        one = ask("POST", "/s3/getMediaUrl/sales", {"id": media["id"]})
        found = body_of(one)
        assert (one.status, found["id"]) == (200, media["id"])
        assert f"/{media['fileName']}?" in found["mediaUrl"]
        assert "X-Amz-Expires=604800" in found["mediaUrl"]

    def test_videos_and_texts_are_not(self, ask: Any) -> None:
        self._send(ask, "video", "a.mp4")
        ask("POST", "/message/sendText/sales", {"number": PEER, "text": "x"})
        reply = ask("POST", "/s3/getMedia/sales", {})
        assert (reply.status, message_of(reply)) == (400, ["Media not found"])

    def test_received_media_are_kept(self, ask: Any, fake: FakeEvolution) -> None:
        node = {"imageMessage": {"mimetype": "image/png", "caption": "c"}}
        key_id = fake.receive("sales", from_=PEER, message=node, kind="imageMessage")
        (media,) = body_of(ask("POST", "/s3/getMedia/sales", {"type": "imageMessage"}))
        assert media["fileName"].endswith(f"_{key_id}.png")
        upsert = next(e["data"] for e in fake.events if e["event"] == "messages.upsert")
        assert upsert["message"]["mediaUrl"] == media["Message"]["message"]["mediaUrl"]

    def test_all_instances_unless_named_by_id(self, ask: Any, fake: FakeEvolution) -> None:
        self._send(ask, "document", "a.pdf")
        self._send(ask, "image", "b.png", "other")
        both = body_of(ask("POST", "/s3/getMedia/sales", {}))
        assert [media["type"] for media in both] == ["documentMessage", "imageMessage"]
        own = f"/s3/getMedia/sales?instanceId={fake.instances['sales'].id}"
        assert len(body_of(ask("POST", own, {}))) == 1
        named = {"id": both[1]["id"]}
        assert len(body_of(ask("POST", "/s3/getMedia/sales", named))) == 1
        assert message_of(ask("POST", own, named)) == ["Media not found"]

    def test_what_the_database_refuses(self, ask: Any) -> None:
        self._send(ask, "document", "a.pdf")
        for body in ({"messageId": 5}, {"colour": "red"}):
            reply = ask("POST", "/s3/getMedia/sales", body)
            assert (reply.status, message_of(reply)[0]["name"]) == (
                400, "PrismaClientValidationError"
            )  # fmt: skip

    def test_expiry_is_never_accepted(self, ask: Any) -> None:
        self._send(ask, "document", "a.pdf")
        (media,) = body_of(ask("POST", "/s3/getMedia/sales", {}))
        url = "/s3/getMediaUrl/sales"
        text = ask("POST", url, {"id": media["id"], "expiry": "60"})
        assert message_of(text) == ['expires should be of type "number"']
        number = ask("POST", url, {"id": media["id"], "expiry": 60})
        assert message_of(number) == [["expiry is not of a type(s) string"]]
        assert ask("POST", url, {}).status == 400

    def test_arranged_without_storage(self) -> None:
        fake = FakeEvolution(api_key="k", clock=FakeClock())
        fake.create_instance("evo", integration="EVOLUTION")
        client = fake.http_client(headers={"apikey": "k"})
        key_id = fake.receive("evo", from_=PEER, message={"imageMessage": {}}, kind="imageMessage")
        assert client.post("/s3/getMedia/evo", json={}).status_code == 400
        row = fake.services.store_media(
            key_id, kind="video", file_name="f.mp4", mimetype="video/mp4"
        )
        found = client.post("/s3/getMediaUrl/evo", json={"id": row}).json()
        assert (found["type"], found["fileName"], found["mimetype"]) == (
            "video", "f.mp4", "video/mp4"
        )  # fmt: skip
        assert "mediaUrl" not in found, "without storage there is no address"
        named = client.post("/s3/getMedia/evo", json={"type": "video"}).json()
        assert named[0]["Message"]["key"]["id"] == key_id
        with pytest.raises(KeyError):
            fake.services.store_media("nope")
