"""Groups: made, changed, joined and left."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of, message_of
from group_asks import ADA, ADA_JID, BOB, BOB_JID, OLD, OWNER_JID, events, info, post

from evolution_sdk.testing import FakeEvolution


class TestCreate:
    def test_its_maker_owns_it(self, made: dict[str, Any], fake: FakeEvolution) -> None:
        owner, ada = made["participants"]
        assert (owner["phoneNumber"], owner["admin"]) == (OWNER_JID, "superadmin")
        assert (ada["phoneNumber"], ada["admin"]) == (ADA_JID, None)
        assert made["owner"] == made["subjectOwner"] == owner["id"]
        assert (made["ownerPn"], made["desc"], made["size"]) == (OWNER_JID, "About us", 2)
        assert made["creation"] == int(fake.clock.now_ms() / 1000)
        assert events(fake, "groups.upsert")[0][0]["id"] == made["id"]

    def test_it_can_be_written_to(
        self, made: dict[str, Any], ask: Any, fake: FakeEvolution
    ) -> None:
        body = {"number": made["id"], "text": "hi", "mentionsEveryOne": True}
        sent = body_of(ask("POST", "/message/sendText/sales", body))
        names = [person["id"] for person in made["participants"]]
        assert sent["contextInfo"]["mentionedJid"] == names
        fake.assert_sent(made["id"], text="hi")

    def test_promotes_when_asked(self, ask: Any) -> None:
        body = {"subject": "T", "participants": [ADA], "promoteParticipants": True}
        group = body_of(ask("POST", "/group/create/sales", body))
        assert [person["admin"] for person in group["participants"]] == ["superadmin", "admin"]
        assert "desc" not in group

    def test_drops_who_cannot_come(self, ask: Any, fake: FakeEvolution) -> None:
        fake.not_on_whatsapp(ADA)
        fake.groups.refuse(BOB)
        people = [ADA, BOB, "5511900000005", "+55 11 90000-0005", OWNER_JID]
        group = body_of(
            ask("POST", "/group/create/sales", {"subject": "T", "participants": people})
        )
        assert [person.get("phoneNumber") for person in group["participants"]] == [
            OWNER_JID, "5511900000005@s.whatsapp.net"
        ]  # fmt: skip

    def test_other_accounts_see_it_only_as_members(
        self, made: dict[str, Any], ask: Any, fake: FakeEvolution
    ) -> None:
        fake.create_instance("other", owner=BOB)
        fake.create_instance("ada", owner=ADA)
        target = f"/group/findGroupInfos/{{}}?groupJid={made['id']}"
        assert message_of(ask("GET", target.format("other"))) == [
            "Error fetching group", "Error: forbidden"
        ]  # fmt: skip
        assert body_of(ask("GET", target.format("ada")))["subject"] == "Team"
        assert body_of(ask("GET", "/group/fetchAllGroups/other?getParticipants=true")) == []
        text = {"number": made["id"], "text": "x"}
        assert message_of(ask("POST", "/message/sendText/other", text)) == ["[object Object]"]
        numbers = {"numbers": [made["id"]]}
        assert body_of(ask("POST", "/chat/whatsappNumbers/other", numbers))[0]["exists"] is False

    @pytest.mark.parametrize(
        ("people", "refusals"),
        [(["1"], 1), (["abcdefghijk"], 1), (["abc"], 2), ([], 1), ([ADA, ADA], 1)],
    )
    def test_checks_numbers(self, ask: Any, people: list[str], refusals: int) -> None:
        reply = ask("POST", "/group/create/sales", {"subject": "T", "participants": people})
        assert (reply.status, len(message_of(reply)[0])) == (400, refusals)


class TestChanges:
    def test_subject_description_and_picture(
        self, made: dict[str, Any], ask: Any, fake: FakeEvolution
    ) -> None:
        jid = made["id"]
        fake.clock.advance(5_000)
        for path, body in (
            ("updateGroupSubject", {"subject": "New"}),
            ("updateGroupDescription", {"description": "Other"}),
            ("updateGroupPicture", {"image": "https://example.org/a.png"}),
        ):
            reply = post(ask, path, jid, body)
            assert (reply.status, body_of(reply)) == (201, {"update": "success"})
        found = info(ask, jid)
        assert (found["subject"], found["desc"]) == ("New", "Other")
        assert found["subjectTime"] == made["subjectTime"] + 5
        assert found["descId"] != made["descId"]
        assert found["pictureUrl"].startswith("https://pps.whatsapp.net/")
        assert [list(d[0])[1] for d in events(fake, "groups.update")] == ["subject", "desc"]

    def test_an_empty_description_removes_it(self, made: dict[str, Any], ask: Any) -> None:
        body = {"description": "", "unrelated": 1}
        assert post(ask, "updateGroupDescription", made["id"], body).status == 201
        assert "desc" not in info(ask, made["id"])

    def test_a_picture_is_an_address_or_base64(self, made: dict[str, Any], ask: Any) -> None:
        reply = post(ask, "updateGroupPicture", made["id"], {"image": "data:image/png;base64,aGk="})
        assert (reply.status, message_of(reply)) == (
            500, ["Error update group picture", "[object Object]"]
        )  # fmt: skip
        assert post(ask, "updateGroupPicture", made["id"], {"image": "aGk="}).status == 201

    def test_settings(self, made: dict[str, Any], ask: Any) -> None:
        for action, name, value in (
            ("announcement", "announce", True), ("not_announcement", "announce", False),
            ("locked", "restrict", True), ("unlocked", "restrict", False),
        ):  # fmt: skip
            reply = post(ask, "updateSetting", made["id"], {"action": action})
            assert (reply.status, body_of(reply)) == (201, {})
            assert info(ask, made["id"])[name] is value

    def test_expiry(self, made: dict[str, Any], ask: Any, fake: FakeEvolution) -> None:
        reply = post(ask, "toggleEphemeral", made["id"], {"expiration": 604_800})
        assert (reply.status, body_of(reply)) == (201, {"success": True})
        code = fake.groups[made["id"]].invite_code
        raw = body_of(ask("GET", f"/group/inviteInfo/sales?inviteCode={code}"))
        assert raw["ephemeralDuration"] == 604_800
        post(ask, "toggleEphemeral", made["id"], {"expiration": 0})
        assert "ephemeralDuration" not in body_of(
            ask("GET", f"/group/inviteInfo/sales?inviteCode={code}")
        )

    def test_nobody_hears_who_ignores_groups(self, ask: Any, fake: FakeEvolution) -> None:
        quiet = {name: name == "groupsIgnore" for name in
                 ("rejectCall", "groupsIgnore", "alwaysOnline", "readMessages", "readStatus",
                  "syncFullHistory")}  # fmt: skip
        ask("POST", "/settings/set/sales", quiet)
        ask("POST", "/group/create/sales", {"subject": "T", "participants": [ADA]})
        assert events(fake, "groups.upsert") == []


class TestParticipants:
    def _update(self, ask: Any, jid: str, action: str, *people: str) -> list[dict[str, Any]]:
        reply = post(ask, "updateParticipant", jid, {"action": action, "participants": [*people]})
        assert reply.status == 201
        results: list[dict[str, Any]] = body_of(reply)["updateParticipants"]
        return results

    def test_each_has_a_result_of_their_own(
        self, made: dict[str, Any], ask: Any, fake: FakeEvolution
    ) -> None:
        fake.not_on_whatsapp("5511900000004")
        fake.groups.refuse("5511900000003")
        fake.groups.refuse("5511900000008", status="408")
        people = (BOB, ADA, "5511900000003", "5511900000004", "5511900000008")
        results = self._update(ask, made["id"], "add", *people)
        assert [r["status"] for r in results] == ["200", "409", "403", "404", "408"]
        assert results[0]["jid"] == BOB_JID
        assert results[1]["content"]["attrs"] == {"jid": ADA_JID, "error": "409"}
        assert results[2]["content"]["content"][0]["tag"] == "add_request"
        assert "content" not in results[4]["content"]
        assert info(ask, made["id"])["size"] == 3
        event = events(fake, "group-participants.update")[-1]
        assert (event["action"], len(event["participants"])) == ("add", 1)
        assert event["participants"][0]["phoneNumber"] == BOB_JID

    def test_ranks(self, made: dict[str, Any], ask: Any) -> None:
        def rank() -> Any:
            return info(ask, made["id"])["participants"][1]["admin"]

        self._update(ask, made["id"], "promote", ADA)
        assert rank() == "admin"
        self._update(ask, made["id"], "demote", ADA)
        assert rank() is None
        assert self._update(ask, made["id"], "promote", BOB)[0]["status"] == "404"

    def test_removed_by_phone_or_lid(self, made: dict[str, Any], ask: Any) -> None:
        self._update(ask, made["id"], "add", BOB)
        lid = made["participants"][1]["id"]
        results = self._update(ask, made["id"], "remove", lid, BOB)
        assert [r["status"] for r in results] == ["200", "200"]
        assert info(ask, made["id"])["size"] == 1

    def test_listed_with_what_is_known_of_them(self, ask: Any, fake: FakeEvolution) -> None:
        fake.groups.add(OLD, participants=[ADA_JID, BOB_JID], admins=[BOB_JID])
        fake.add_contact("sales", ADA, "Ada")
        people = body_of(ask("GET", f"/group/participants/sales?groupJid={OLD}"))["participants"]
        assert people == [
            {"id": ADA_JID, "admin": None, "name": "Ada", "imgUrl": None},
            {"id": BOB_JID, "admin": "admin"},
        ]
        fake.set_lid(ADA, "123@lid")
        assert info(ask, OLD)["participants"][0]["lid"] == "123@lid"
        fake.set_state("sales", "connecting")
        numbers = {"numbers": [ADA, BOB]}
        found = ask("POST", "/chat/whatsappNumbers/sales", numbers)
        assert found.status == 200, "looking members up puts them into the cache"

    def test_only_the_asked_for_list_has_members(self, ask: Any, fake: FakeEvolution) -> None:
        fake.groups.add(OLD, participants=[ADA_JID])
        for wanted in ("true", "false"):
            target = f"/group/fetchAllGroups/sales?getParticipants={wanted}"
            groups = body_of(ask("GET", target))
            assert (groups[0]["size"], "participants" in groups[0]) == (1, wanted == "true")


class TestInvitations:
    def test_code_link_and_revocation(self, made: dict[str, Any], ask: Any) -> None:
        target = f"/group/inviteCode/sales?groupJid={made['id']}"
        code = body_of(ask("GET", target))["inviteCode"]
        assert body_of(ask("GET", target))["inviteUrl"] == f"https://chat.whatsapp.com/{code}"
        revoked = post(ask, "revokeInviteCode", made["id"], {})
        assert (revoked.status, body_of(revoked)["revoked"]) == (201, True)
        fresh = body_of(ask("GET", target))["inviteCode"]
        assert fresh == body_of(revoked)["inviteCode"] != code
        old = ask("GET", f"/group/inviteInfo/sales?inviteCode={code}")
        assert (old.status, message_of(old)) == (404, ["No invite info", code])
        assert message_of(ask("GET", f"/group/acceptInviteCode/sales?inviteCode={code}")) == [
            "Accept invite error", "Error: item-not-found"
        ]  # fmt: skip

    def test_accepting_lets_in(self, ask: Any, fake: FakeEvolution) -> None:
        code = "A" * 22
        fake.groups.add(OLD, "Club", [ADA_JID], invite_code=code, joined=False)
        assert ask("GET", f"/group/findGroupInfos/sales?groupJid={OLD}").status == 404
        accepted = body_of(ask("GET", f"/group/acceptInviteCode/sales?inviteCode={code}"))
        assert accepted == {"accepted": True, "groupJid": OLD}
        assert [p["id"] for p in info(ask, OLD)["participants"]] == [ADA_JID, OWNER_JID]
        again = ask("GET", f"/group/acceptInviteCode/sales?inviteCode={code}")
        assert (again.status, info(ask, OLD)["size"]) == (200, 2)

    def test_sent_by_message(self, made: dict[str, Any], ask: Any, fake: FakeEvolution) -> None:
        body = {"groupJid": made["id"], "description": "Join us", "numbers": [BOB, ADA]}
        reply = ask("POST", "/group/sendInvite/sales", body)
        assert (reply.status, body_of(reply)["send"]) == (200, True)
        text = f"Join us\n\n{body_of(reply)['inviteUrl']}"
        fake.assert_sent(BOB, text=text, operation="group.send_group_invite")
        fake.assert_sent_times(1, ADA, text=text)

    def test_stops_at_the_first_failure(
        self, made: dict[str, Any], ask: Any, fake: FakeEvolution
    ) -> None:
        fake.not_on_whatsapp(BOB)
        body = {"groupJid": made["id"], "description": "d", "numbers": [ADA, BOB, "5511900000005"]}
        reply = ask("POST", "/group/sendInvite/sales", body)
        assert (reply.status, message_of(reply)) == (404, ["No send invite"])
        assert [message.number for message in fake.sent] == [ADA_JID]

    def test_its_group_is_taken_as_written(self, made: dict[str, Any], ask: Any) -> None:
        bare = made["id"].removesuffix("@g.us")
        body = {"groupJid": bare, "description": "d", "numbers": [ADA]}
        assert message_of(ask("POST", "/group/sendInvite/sales", body)) == ["No send invite"]
