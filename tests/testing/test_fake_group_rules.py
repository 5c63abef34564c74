"""Rights in groups, names of groups in requests, and groups offline."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of, message_of
from group_asks import ADA, ADA_JID, BOB, BOB_JID, MISSING, OLD, OWNER_JID, events, info, post

from evolution_sdk.testing import FakeEvolution


class TestRights:
    @pytest.fixture
    def ordinary(self, fake: FakeEvolution) -> str:
        """A group in which the own account is an ordinary member."""
        fake.groups.add(OLD, "Club", [OWNER_JID, ADA_JID], owner=ADA_JID)
        return OLD

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("updateParticipant", {"action": "add", "participants": [BOB]}, 400),
            ("updateSetting", {"action": "locked"}, 400),
            ("revokeInviteCode", {}, 404),
        ],
    )
    def test_admins_only(
        self, ordinary: str, ask: Any, path: str, body: dict[str, Any], status: int
    ) -> None:
        reply = post(ask, path, ordinary, body)
        assert (reply.status, message_of(reply)[1]) == (status, "Error: not-authorized")

    def test_a_locked_group_is_changed_by_admins(
        self, ordinary: str, ask: Any, fake: FakeEvolution
    ) -> None:
        fake.create_instance("ada", owner=ADA)
        assert post(ask, "updateGroupSubject", ordinary, {"subject": "Ours"}).status == 201
        lock = {"action": "locked"}
        assert ask("POST", f"/group/updateSetting/ada?groupJid={ordinary}", lock).status == 201
        for path, body in (
            ("updateGroupSubject", {"subject": "x"}),
            ("updateGroupDescription", {"description": "x"}),
            ("updateGroupPicture", {"image": "aGk="}),
            ("toggleEphemeral", {"expiration": 0}),
        ):
            assert message_of(post(ask, path, ordinary, body))[1] == "Error: not-authorized"
        assert info(ask, ordinary)["subject"] == "Ours"

    def test_leaving(self, ordinary: str, ask: Any, fake: FakeEvolution) -> None:
        reply = ask("DELETE", "/group/leaveGroup/sales", {"groupJid": ordinary})
        assert (reply.status, body_of(reply)) == (200, {"groupJid": ordinary, "leave": True})
        again = ask("DELETE", f"/group/leaveGroup/sales?groupJid={ordinary}")
        assert (again.status, message_of(again)) == (
            400, ["Unable to leave the group", "Error: forbidden"]
        )  # fmt: skip
        event = events(fake, "group-participants.update")[-1]
        assert (event["action"], event["participants"][0]["id"]) == ("remove", OWNER_JID)
        text = {"number": ordinary, "text": "x"}
        assert message_of(ask("POST", "/message/sendText/sales", text)) == ["[object Object]"]

    def test_leaving_a_group_that_lists_nobody(self, ask: Any, fake: FakeEvolution) -> None:
        fake.groups.add(OLD)
        assert ask("DELETE", f"/group/leaveGroup/sales?groupJid={OLD}").status == 200
        assert body_of(ask("GET", "/group/fetchAllGroups/sales?getParticipants=false")) == []

    def test_only_members_can_be_admins(self, fake: FakeEvolution) -> None:
        with pytest.raises(ValueError, match=BOB_JID):
            fake.groups.add(OLD, participants=[ADA_JID], admins=[BOB_JID])


class TestWhichGroup:
    def test_the_body_wins_and_the_suffix_is_added(self, made: dict[str, Any], ask: Any) -> None:
        body = {"groupJid": made["id"].removesuffix("@g.us"), "subject": "New"}
        assert post(ask, "updateGroupSubject", MISSING, body).status == 201
        assert info(ask, made["id"].removesuffix("@g.us"))["subject"] == "New"

    def test_without_one(self, ask: Any) -> None:
        reply = ask("DELETE", "/group/leaveGroup/sales")
        assert (reply.status, message_of(reply)) == (
            400, ["The group id needs to be informed in the query", 'ex: "groupJid=120362@g.us"']
        )  # fmt: skip

    def test_not_a_text(self, ask: Any) -> None:
        for reply in (
            ask("POST", "/group/revokeInviteCode/sales", {"groupJid": 120363}),
            ask("GET", "/group/participants/sales?groupJid=a&groupJid=b"),
        ):
            assert (reply.status, message_of(reply)) == (
                500, "groupJid.endsWith is not a function"
            )  # fmt: skip

    def test_every_failure_names_its_property(self, ask: Any) -> None:
        body = {"action": "ban", "participants": ["x"]}
        problems = message_of(post(ask, "updateParticipant", OLD, body))
        assert [problem["property"] for problem in problems] == [
            "action", "participants[0]", "participants[0]"
        ]  # fmt: skip
        missing = message_of(post(ask, "updateSetting", OLD, {}))
        assert missing == [
            {"property": "instance", "message": 'instance requires property "action"'}
        ]

    def test_changes_do_not_check_how_the_group_is_spelt(self, ask: Any) -> None:
        reply = post(ask, "updateGroupSubject", "abc", {"subject": "x"})
        assert message_of(reply) == ["Error updating group subject", "Error: item-not-found"]

    def test_query_parameters_count_for_invitations_only(self, ask: Any) -> None:
        reply = ask("POST", "/group/create/sales?instanceName=nope",
                    {"subject": "T", "participants": [ADA]})  # fmt: skip
        assert message_of(reply) == "Cannot read properties of undefined (reading 'createGroup')"
        kept = ask("GET", "/group/fetchAllGroups/sales?getParticipants=true&instanceName=nope")
        assert body_of(kept) == []


class TestNotConnected:
    def test_never(self, ask: Any, fake: FakeEvolution) -> None:
        fake.create_instance("new", state="close")
        cause = "TypeError: Cannot read properties of undefined (reading '{}')"
        asked = {
            "findGroupInfos": ("Error fetching group", "groupMetadata"),
            "participants": ("No participants", "groupMetadata"),
            "inviteCode": ("No invite code", "groupInviteCode"),
        }
        for path, (words, member) in asked.items():
            reply = ask("GET", f"/group/{path}/new?groupJid={OLD}")
            assert (reply.status, message_of(reply)) == (404, [words, cause.format(member)])
        reply = ask("POST", f"/group/updateGroupPicture/new?groupJid={OLD}", {"image": "aGk="})
        assert message_of(reply)[1] == cause.format("updateProfilePicture")

    def test_lost(self, made: dict[str, Any], ask: Any, fake: FakeEvolution) -> None:
        fake.set_state("sales", "connecting")
        fake.cache_number(ADA)
        closed = "Error: Connection Closed"
        body = {"subject": "T", "participants": [ADA]}
        assert message_of(ask("POST", "/group/create/sales", body)) == [
            "Error creating group", closed
        ]  # fmt: skip
        picture = post(ask, "updateGroupPicture", made["id"], {"image": "aGk="})
        assert message_of(picture) == ["Error update group picture", closed]
        setting = post(ask, "updateSetting", made["id"], {"action": "locked"})
        assert (setting.status, message_of(setting)) == (400, ["Error updating setting", closed])
        left = ask("DELETE", f"/group/leaveGroup/sales?groupJid={made['id']}")
        assert message_of(left) == ["Unable to leave the group", closed]
        assert fake.groups[made["id"]].restrict is False
