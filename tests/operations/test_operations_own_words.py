"""Only the server's own words prove that nothing was sent, and whom a failure speaks against.

`tests/data/failures.json` holds every different failure that running servers of 2.2.3, 2.3.6,
2.3.7, 2.4-pre and 2.4.0-rc2 were seen to answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk import OPERATIONS, errors
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import EvolutionAPIError, EvolutionError
from evolution_sdk.operations.error_facts import USUAL_ERRORS
from evolution_sdk.operations.own_words import is_own, page_title
from evolution_sdk.resilience.breaker import CallOutcome
from evolution_sdk.resilience.outcome import judge

DATA = Path(__file__).parents[1] / "data"
RECORDED: list[dict[str, Any]] = json.loads((DATA / "failures.json").read_text("utf-8"))
SENDS = [op for op in OPERATIONS.values() if op.effect in (Effect.SEND, Effect.DESTRUCTIVE)]
SEND = OPERATIONS["message.send_text"]
DOWNLOAD = OPERATIONS["chat.get_base64_from_media_message"]

# The routes of the licence and of static files, and one small JSON of a single read.
NOT_ITS_ENVELOPE = {"license.register", "license.activate.bad_code"}


def failed(operation: Any, status: int, body: Any) -> EvolutionError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(EvolutionError) as caught:
        operation.parse(status, content)
    return caught.value


def told(status: int, message: Any) -> dict[str, Any]:
    return {"status": status, "error": "x", "response": {"message": message}}


def case_id(entry: dict[str, Any]) -> str:
    return f"{entry['version']}-{entry['name']}"[:60]


@pytest.mark.parametrize("entry", RECORDED, ids=case_id)
def test_every_recorded_failure_is_the_servers_own(entry: dict[str, Any]) -> None:
    operation = OPERATIONS.get(entry["operation"] or "")
    effect = operation.effect if operation else Effect.READ
    facts = operation.errors if operation else USUAL_ERRORS
    own = is_own(entry["status"], entry["body"], effect, facts)
    bare = entry["name"] in NOT_ITS_ENVELOPE or entry["body"] == "File not found"
    bare = bare or (set(entry["body"]) == {"error"})
    assert own is not bare


def of_one_thing(entry: dict[str, Any]) -> bool:
    """Recorded failures of messages, files and groups on instances that were connected."""
    text = json.dumps(entry["body"])
    lost = ("notconnected", "Connection Closed", "not connected", "App state key", "no-jid")
    return not any(word in entry["name"] or word in text for word in lost)


@pytest.mark.parametrize(
    "entry",
    [e for e in RECORDED if e["channel"] in ("EVOLUTION", "WHATSAPP-BUSINESS") and of_one_thing(e)],
    ids=case_id,
)
def test_no_recorded_failure_of_a_connected_instance_counts_against_it(
    entry: dict[str, Any],
) -> None:
    operation = OPERATIONS.get(entry["operation"] or "")
    if operation is None:
        operation = OPERATIONS["instance.connection_state"]
    error = failed(operation, entry["status"], entry["body"])
    assert not isinstance(error, errors.InstanceNotConnectedError)
    marks = judge(error, by_session=operation.session)
    assert marks.instance is CallOutcome.IGNORED
    assert marks.server is not CallOutcome.FAILURE


PROXIES: list[tuple[int, bytes]] = [
    (502, b"connection closed before message completed"),
    (502, b'{"message": "connection closed before message completed"}'),
    (502, b'{"status": 502, "error": "Bad Gateway", "message": "Connection Closed"}'),
    (502, b'{"status": 502, "error": "x", "response": {"message": "Connection Closed"}}'),
    (502, b'{"error": "Bad Gateway", "details": "Connection Closed"}'),
    (500, b'{"status": 500, "error": "Internal Server Error", "message": "Connection Closed"}'),
    (500, b'{"status": 502, "response": {"message": "Connection Closed"}}'),
    (500, b'"Connection Closed"'),
    (500, b"Connection Closed"),
    (500, b'{"message": ["Error: Connection Closed"]}'),
    (500, b'{"message": "Cannot read properties of undefined (reading \'onWhatsApp\')"}'),
    (500, b"<html><title>500 Internal Server Error</title></html>"),
    (500, b"Timed Out"),
    (500, b'["Error: no image"]'),
    (500, b'{"message": ["rate-overlimit"]}'),
    (500, b""),
    (400, b'{"message": "x", "error": true}'),
    (501, b"<html><h1>501 Unsupported method ('POST')</h1></html>"),
    (503, b"<html>503 Service Temporarily Unavailable</html>"),
    (503, b"upstream connect error or disconnect/reset before headers"),
    (503, b'{"status": 503, "error": "x", "response": {"message": "Connection Closed"}}'),
    (504, b"<html><title>504 Gateway Time-out</title></html>"),
    (520, b"error code: 520"),
    (530, b"rate-overlimit"),
    (599, b"Connection Closed"),
    (408, b"<html><h1>408 Request Time-out</h1></html>"),
    (408, b'{"message": "Connection Closed"}'),
    (460, b""),
    (499, b""),
    (499, b'{"message": "Media upload failed"}'),
    (409, b'{"message": "Connection Closed"}'),
    (422, b"Connection Closed"),
    (444, b""),
    (303, b""),
    (200, b"{}"),
    (200, b'{"ok": true}'),
    (200, b'{"message": "slow down", "code": 4}'),
    (200, b"<html>captive portal</html>"),
    (200, b"thanks"),
    (200, b""),
    (204, b""),
    (206, b"[]"),
]
UNPROVEN = [case for case in PROXIES if case[0] != 400]


@pytest.mark.parametrize(("status", "body"), UNPROVEN)
def test_a_proxys_words_never_prove_that_nothing_was_sent(status: int, body: bytes) -> None:
    error = failed(SEND, status, body)
    assert error.phase is Phase.UNKNOWN
    assert not error.retryable
    assert not isinstance(error, errors.InstanceNotConnectedError)


@pytest.mark.parametrize("operation", SENDS, ids=lambda op: op.name)
def test_no_send_takes_foreign_words_for_proof(operation: Any) -> None:
    for status, body in PROXIES:
        if status < 300:
            continue
        error = failed(operation, status, body)
        assert error.phase is Phase.UNKNOWN or status == 400, (operation.name, status, body)
        assert not error.retryable


words = st.sampled_from(
    (
        "Connection Closed",
        "Error: Connection Closed",
        "Timed Out",
        "rate-overlimit",
        "Forbidden",
        "Cannot read properties of undefined (reading 'sendMessage')",
        "Media upload failed",
        "",
    )
)
leaves = words | st.none() | st.booleans() | st.integers(-1, 600)
nested = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["message", "error", "code"]), inner, max_size=3)
    ),
    max_leaves=5,
)
foreign_objects = st.dictionaries(
    st.sampled_from(["message", "error", "code", "detail", "title", "path"]), nested, max_size=4
)


@settings(max_examples=examples(300))
@given(
    status=st.sampled_from([408, 460, 499, *range(500, 600)]),
    data=nested | foreign_objects,
    as_json=st.booleans(),
)
def test_no_gateway_status_with_any_words_proves_anything(
    status: int, data: Any, as_json: bool
) -> None:
    body = json.dumps(data).encode() if as_json else str(data).encode()
    error = failed(SEND, status, body)
    assert error.phase is Phase.UNKNOWN
    assert not error.retryable


def test_a_limit_that_a_proxy_keeps_refuses_before() -> None:
    """The server has no 429 of its own, and the status means by its standard: not taken."""
    error = failed(SEND, 429, b"<html>slow down</html>")
    assert isinstance(error, errors.RateLimitError)
    assert error.retryable


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_hands_the_request_on(status: int) -> None:
    assert failed(SEND, status, b"").phase is Phase.NOT_SENT


def test_the_servers_own_words_still_prove_it() -> None:
    for message in ("Connection Closed", ["Error: Connection Closed"]):
        error = failed(SEND, 500, told(500, message))
        assert isinstance(error, errors.InstanceNotConnectedError)
        assert error.retryable


def test_an_empty_answer_proves_nothing_of_a_send() -> None:
    """The server gives it to number checks alone; from a proxy it may come after the send."""
    for body in ({}, {"isBoom": True, "output": {"statusCode": 400}}):
        error = failed(SEND, 400, body)
        assert not isinstance(error, errors.InstanceNotConnectedError)
        assert not error.retryable
    check = failed(OPERATIONS["chat.check_whatsapp_numbers"], 400, {})
    assert isinstance(check, errors.InstanceNotConnectedError)


@pytest.mark.parametrize(
    "message", ["PrismaClientKnownRequestError: x", ["Error: x"], ["\n  Invalid `x` invocation"]]
)
def test_a_400_about_the_servers_database_may_come_after_the_send(message: Any) -> None:
    """The same catch answers when the message has left: noting it, transcribing it, a bot."""
    error = failed(SEND, 400, told(400, message))
    assert isinstance(error, errors.BadRequestError)
    assert error.phase is Phase.UNKNOWN


def test_a_sent_message_with_another_status_is_one() -> None:
    """A gateway may change the status; the id in the body is the server's."""
    body = json.dumps({"key": {"id": "3EB0", "remoteJid": "1@s.whatsapp.net", "fromMe": True}})
    assert SEND.parse(200, body.encode()).id == "3EB0"


# A5: one thing's trouble


PROPERTIES = ("ephemeralMessage", "mediaKey", "url", "mimetype", "participants", "subject", "keyId")


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_dead_file_is_not_a_dead_session(name: str) -> None:
    words = [f"TypeError: Cannot read properties of undefined (reading '{name}')"]
    error = failed(DOWNLOAD, 400, told(400, words))
    assert type(error) is errors.BadRequestError
    assert not error.retryable
    assert judge(error, by_session=True, one_file=True) == (
        CallOutcome.SUCCESS,
        CallOutcome.IGNORED,
    )


ONE_THING: list[tuple[str, int, Any]] = [
    (
        "chat.get_base64_from_media_message",
        400,
        ["TypeError: Cannot convert undefined or null"],
    ),
    ("chat.get_base64_from_media_message", 400, ["Error: Failed to fetch stream"]),
    ("chat.get_base64_from_media_message", 400, ["Message not found"]),
    ("chat.get_base64_from_media_message", 400, ["[object Object]"]),
    ("chat.get_base64_from_media_message", 500, "Cannot read properties of null (reading 'x')"),
    ("chat.find_messages", 500, "x is not iterable"),
    ("chat.update_profile_picture", 500, ["Error updating profile picture", "[object Object]"]),
    ("group.find_group_info", 404, ["Error fetching group", "Error: item-not-found"]),
    ("group.find_group_info", 404, ["Error fetching group", "TypeError: x is not a function"]),
    ("group.update_group_subject", 500, ["Error updating group subject", "Error: forbidden"]),
    ("message.send_media", 500, ["AxiosError: Request failed with status code 404"]),
    (
        "message.send_media",
        500,
        ["TypeError: Cannot read properties of undefined (reading 'name')"],
    ),
    ("message.send_whatsapp_audio", 500, "Cannot read properties of undefined (reading 'name')"),
    ("message.send_text", 400, ["TypeError: x.mimetype?.startsWith is not a function"]),
    ("openai.get_openai_models", 500, "Error fetching models"),
    ("typebot.fetch_typebot_bot", 500, "Typebot not found"),
]


@pytest.mark.parametrize(("name", "status", "message"), ONE_THING)
def test_one_things_trouble_counts_against_nobody_else(
    name: str, status: int, message: Any
) -> None:
    operation = OPERATIONS[name]
    error = failed(operation, status, told(status, message))
    assert not isinstance(error, errors.InstanceNotConnectedError)
    assert isinstance(error, EvolutionAPIError)
    assert error.concerns == "call"
    marks = judge(error, by_session=operation.session)
    assert marks.server is not CallOutcome.FAILURE
    assert marks.instance is not CallOutcome.FAILURE


@pytest.mark.parametrize(
    ("message", "server", "instance"),
    [
        ("boom", CallOutcome.FAILURE, CallOutcome.IGNORED),
        ("Can't reach database server at `db:5432`", CallOutcome.FAILURE, CallOutcome.IGNORED),
        (["x", "Error: Can't reach database server"], CallOutcome.FAILURE, CallOutcome.IGNORED),
        ("Timed Out", CallOutcome.SUCCESS, CallOutcome.FAILURE),
        ("Connection Closed", CallOutcome.SUCCESS, CallOutcome.FAILURE),
        (
            "Cannot read properties of undefined (reading 'onWhatsApp')",
            CallOutcome.SUCCESS,
            CallOutcome.FAILURE,
        ),
    ],
)
def test_what_concerns_all_still_counts(
    message: Any, server: CallOutcome, instance: CallOutcome
) -> None:
    error = failed(OPERATIONS["chat.fetch_profile"], 500, told(500, message))
    assert judge(error, by_session=True) == (server, instance)


def test_a_minified_servers_database_errors_are_told_by_their_end() -> None:
    """It names a call at random; what it could not read stands last (recorded, 2.3.7)."""
    text = "\nInvalid `S.integrationSession.update()` invocation in\nx\n\nArgument `take`: Invalid value provided. Expected Int, provided String."  # noqa: E501
    error = failed(OPERATIONS["chat.find_messages"], 500, told(500, text))
    assert type(error) is errors.BadRequestError
    lost = "\nInvalid `S.message.findMany()` invocation\n\nCan't reach database server at `db`"
    assert failed(OPERATIONS["chat.find_messages"], 500, told(500, lost)).retryable


@pytest.mark.parametrize("place", ["i", "s", "instanceName", "s.instanceName"])
def test_a_channel_without_the_method_in_every_builds_words(place: str) -> None:
    text = f"this.waMonitor.waInstances[{place}].ptvMessage is not a function"
    error = failed(OPERATIONS["message.send_ptv"], 500, told(500, text))
    assert isinstance(error, errors.ChannelNotSupportedError)


# words in the error itself


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [
        (502, b"<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        (501, b"<!DOCTYPE HTML><html><h1>Error  response</h1></html>", "Error response"),
        (503, b"no healthy upstream", "no healthy upstream"),
    ],
)
def test_a_foreign_failure_shows_its_words_and_where_to_look(
    status: int, body: bytes, shown: str
) -> None:
    text = str(failed(SEND, status, body))
    assert shown in text
    assert f"HTTP {status}" in text
    assert "not the Evolution server's own words" in text
    assert ("EVOLUTION_API_URL" in text) is (status == 501)


@pytest.mark.parametrize("text", ["", "<", "<title", "<title>", "<title>x", "x</title><title>"])
def test_a_page_without_a_title_has_none(text: str) -> None:
    assert page_title(text) == ""


def test_the_outcome_unknown_shows_what_came() -> None:
    error = errors.SendOutcomeUnknownError(
        "message.send_text", "a", "nothing found", "HTTP 502: x."
    )
    assert "HTTP 502: x)" in str(error)
    assert "nothing" in str(error)
    assert error.told == "HTTP 502: x."
