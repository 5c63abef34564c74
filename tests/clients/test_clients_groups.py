"""Groups, metrics and the low-level routes: how long is waited, what is repeated, what is told."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from evolution_sdk import Phase, RequestValidationError, SendOutcomeUnknownError, errors
from evolution_sdk.models import Group, GroupParticipant

from .conftest import Kit
from .request_cases import NUMBER
from .request_cases_groups import CODE, DEVICE, GROUP, JID


def refused(status: int, *messages: str) -> tuple[int, dict[str, Any]]:
    return status, {"status": status, "error": "x", "response": {"message": list(messages)}}


CLOSED = refused(500, "Error creating group", "Error: Connection Closed")
METADATA = {"id": GROUP, "subject": "Team", "participants": [{"id": "1@lid", "admin": "admin"}]}


async def test_what_a_group_is_read_as(kit: Kit) -> None:
    groups = kit.client().groups
    kit.stub.answer((201, METADATA), (200, [METADATA]), (200, None), (200, METADATA))
    made = await kit.run(groups.create("Team", [NUMBER]))
    assert isinstance(made, Group)
    assert [group.id for group in await kit.run(groups.fetch_all())] == [GROUP]
    assert await kit.run(groups.find_info(GROUP)) is None
    (one,) = await kit.run(groups.find_participants(GROUP))
    assert isinstance(one, GroupParticipant)


@pytest.mark.parametrize(
    ("call", "wait_ms"),
    [
        # one picture per group, one after the other
        (lambda c: c.groups.fetch_all(), 60_000 + 240_000),
        (lambda c: c.groups.fetch_all(timeout_ms=900_000), 900_000),
        (lambda c: c.groups.find_info(GROUP), 60_000),
        # several steps, each of which asks WhatsApp
        (lambda c: c.groups.create("Team", [NUMBER]), 90_000 + 60_000),
        # one message after the other
        (lambda c: c.groups.send_invite(GROUP, [NUMBER], "Join"), 90_000),
        (lambda c: c.groups.send_invite(GROUP, [NUMBER, "5511900000001", JID], "Join"), 100_000),
        # the server fetches the picture
        (lambda c: c.groups.update_picture(GROUP, "https://a.example/p.png"), 180_000),
        (lambda c: c.proxy.set("h", 1), 60_000 + 60_000),
        (lambda c: c.business.get_catalog(), 60_000 + 60_000),
        (lambda c: c.baileys.profile_picture_url(JID, wait_ms=7_000), 60_000 + 7_000),
        (lambda c: c.baileys.profile_picture_url(JID), 60_000),
    ],
)
async def test_as_long_as_the_server_takes(kit: Kit, call: Any, wait_ms: int) -> None:
    await kit.run(call(kit.client()))
    assert kit.stub.last.timeouts.read_ms == wait_ms


async def test_a_group_is_not_made_twice(kit: Kit) -> None:
    """The connection may close after the group was made, before it was described."""
    kit.stub.answer(CLOSED, (201, METADATA))
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await kit.run(kit.client().groups.create("Team", [NUMBER], description="D"))
    assert isinstance(caught.value.__cause__, errors.InstanceNotConnectedError)
    assert len(kit.stub.requests) == 1


async def test_a_group_is_made_once_the_socket_is_there(kit: Kit) -> None:
    """Without a socket not even the first step was taken."""
    missing = "TypeError: Cannot read properties of undefined (reading 'onWhatsApp')"
    kit.stub.answer(refused(500, "Error creating group", missing), (201, METADATA))
    assert (await kit.run(kit.client().groups.create("Team", [NUMBER]))).id == GROUP
    assert len(kit.stub.requests) == 2


ACTING = [
    lambda c, **options: c.groups.create("Team", [NUMBER], **options),
    lambda c, **options: c.groups.send_invite(GROUP, [NUMBER], "Join", **options),
    lambda c, **options: c.groups.revoke_invite_code(GROUP, **options),
    lambda c, **options: c.calls.offer(NUMBER, duration_seconds=1, **options),
    lambda c, **options: c.templates.create(
        "n", category="UTILITY", language="en_US", components=[], **options
    ),
    lambda c, **options: c.baileys.create_participant_nodes([DEVICE], {}, **options),
    lambda c, **options: c.baileys.send_node({"tag": "iq"}, **options),
    lambda c, **options: c.baileys.signal_decrypt(DEVICE, "msg", b"x", **options),
]


@pytest.mark.parametrize("call", ACTING)
async def test_what_acts_anew_is_never_repeated_blindly(kit: Kit, call: Any) -> None:
    """Only messages can be looked up, so that even ``resend`` does not send again."""
    for on_unknown, checked in (
        ("raise", "not looked for, as on_unknown='raise' asks"),
        ("reconcile", "there was no way to look it up"),
        ("resend", "there was no way to look it up"),
    ):
        kit.stub.requests.clear()
        kit.stub.answer(errors.EvolutionTimeoutError("no answer", phase=Phase.UNKNOWN))
        with pytest.raises(SendOutcomeUnknownError) as caught:
            await kit.run(call(kit.client(), on_unknown=on_unknown))
        assert caught.value.checked == checked
        assert len(kit.stub.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.groups.fetch_all(),
        lambda c: c.groups.accept_invite_code(CODE),
        lambda c: c.groups.update_subject(GROUP, "s"),
        lambda c: c.labels.handle(NUMBER, "1", "add"),
        lambda c: c.s3.get_media_url("cm1"),
        lambda c: c.baileys.assert_sessions([JID]),
    ],
)
async def test_what_ends_in_the_same_state_is_tried_again(kit: Kit, call: Any) -> None:
    kit.stub.answer(errors.EvolutionTimeoutError("no answer", phase=Phase.UNKNOWN))
    await kit.run(call(kit.client()))
    assert len(kit.stub.requests) == 2


async def test_leaving_is_not_repeated_when_it_may_have_happened(kit: Kit) -> None:
    kit.stub.answer(errors.EvolutionTimeoutError("no answer", phase=Phase.UNKNOWN))
    with pytest.raises(errors.EvolutionTimeoutError):
        await kit.run(kit.client().groups.leave(GROUP))
    assert len(kit.stub.requests) == 1


async def test_a_label_that_was_set_is_not_set_again(kit: Kit) -> None:
    text = "PrismaClientKnownRequestError: \nInvalid `prisma.$executeRawUnsafe()` invocation"
    kit.stub.answer(refused(400, "Unable to add label to chat", text))
    with pytest.raises(errors.ServerError, match="WhatsApp has the change"):
        await kit.run(kit.client().labels.handle(NUMBER, "1", "add"))
    assert len(kit.stub.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.groups.fetch_all(on_unknown="raise"),
        lambda c: c.labels.find(delay_ms=1),
        lambda c: c.groups.create("Team", [NUMBER], delay_ms=1),
    ],
)
async def test_an_option_without_effect_is_refused(kit: Kit, call: Any) -> None:
    with pytest.raises(TypeError, match="takes no option"):
        await kit.run(call(kit.client()))
    assert kit.stub.requests == []


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda c: c.groups.find_info("abc"), "group_jid"),
        (lambda c: c.groups.leave(NUMBER + "@s.whatsapp.net"), "group_jid"),
        (lambda c: c.groups.accept_invite_code("short"), "invite_code"),
        (lambda c: c.groups.toggle_ephemeral(GROUP, 60), "expiration_seconds"),
        (lambda c: c.calls.offer(NUMBER, duration_seconds=16), "duration_seconds"),
        (lambda c: c.s3.get_media(""), "instance_id"),
        (lambda c: c.server.metrics(user="u"), "user/password"),
        (lambda c: c.server.metrics(password="p"), "user/password"),
        (lambda c: c.server.metrics(user="", password="p"), "user/password"),
    ],
)
async def test_what_the_server_would_refuse_is_not_sent(kit: Kit, call: Any, field: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        await kit.run(call(kit.client()))
    assert caught.value.field == field
    assert kit.stub.requests == []


async def test_metrics_have_credentials_of_their_own(kit: Kit) -> None:
    server = kit.client().server
    kit.stub.default = (200, b"evolution_instances_total 4\n")
    text = await kit.run(server.metrics(user="us3r", password="pässword"))
    assert text == "evolution_instances_total 4\n"
    headers = kit.stub.last.headers
    assert headers["accept"] == "text/plain"
    assert "apikey" not in headers
    scheme, _, credentials = headers["authorization"].partition(" ")
    assert (scheme, b64decode(credentials).decode()) == ("Basic", "us3r:pässword")
    assert "us3r" not in repr(kit.stub.last)
    await kit.run(server.metrics())
    assert "authorization" not in kit.stub.last.headers


async def test_metrics_that_are_off_or_closed(kit: Kit) -> None:
    server = kit.client().server
    for answer, expected in (
        (refused(404, "Cannot GET /metrics"), errors.FeatureDisabledError),
        ((401, b"Authentication required"), errors.AuthenticationError),
        ((403, b"Forbidden: IP not allowed"), errors.PermissionDeniedError),
        ((500, b"Metrics authentication not configured"), errors.ServerError),
    ):
        kit.stub.requests.clear()
        kit.stub.answer(answer)
        with pytest.raises(expected):
            await kit.run(server.metrics())
        assert len(kit.stub.requests) == 1


async def test_nothing_is_what_a_sent_node_answers(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    kit.stub.default = (200, b"")
    assert await kit.run(kit.client().baileys.send_node({"tag": "iq"})) is None
    assert caplog.records == []
