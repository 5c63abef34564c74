"""The envelopes A to I, the shapes of ``message``, and answers that are not the API's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from evolution_sdk import OPERATIONS, errors
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import EvolutionAPIError, EvolutionError, UnexpectedResponseError
from evolution_sdk.models import SentMessage
from evolution_sdk.operations.operation import Operation, drift_of

SEND = OPERATIONS["message.send_text"]
READ = OPERATIONS["chat.find_contacts"]
STATE = OPERATIONS["instance.connection_state"]


def failed(operation: Operation[Any], status: int, body: Any) -> EvolutionError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(EvolutionError) as caught:
        operation.parse(status, content)
    return caught.value


def api(operation: Operation[Any], status: int, body: Any) -> EvolutionAPIError:
    error = failed(operation, status, body)
    assert isinstance(error, EvolutionAPIError)
    return error


def usual(status: int, message: Any, error: str = "Bad Request") -> dict[str, Any]:
    """Envelope A."""
    return {"status": status, "error": error, "response": {"message": message}}


BOOM = {
    "data": None,
    "isBoom": True,
    "output": {"statusCode": 428, "payload": {"message": "Connection Closed"}, "headers": {}},
}
GROUP_SCHEMA = [
    {"property": "groupJid", "message": "groupJid does not match pattern"},
    {"property": "instance", "message": 'instance requires property "numbers"'},
]
SHAPES: list[tuple[str, Any, tuple[str, ...]]] = [
    ("A-string", usual(400, "one"), ("one",)),
    ("A-list", usual(400, ["one", "two"]), ("one", "two")),
    ("A-list-of-lists", usual(400, [["one", "two"]]), ("one", "two")),
    ("A-group-schema", usual(400, GROUP_SCHEMA), tuple(g["message"] for g in GROUP_SCHEMA)),
    ("A-archive", usual(400, [{"archived": False, "message": ["one", "two"]}]), ("one", "two")),
    ("A-unread", usual(400, [{"markedChatUnread": False, "message": ["one"]}]), ("one",)),
    ("A-empty-list", usual(400, []), ()),
    ("A-null", usual(400, None), ()),
    (
        "A-without-message",
        {"status": 400, "error": "Bad Request", "response": {}},
        ("Bad Request",),
    ),
    ("B", {"status": 400, "error": "x", "message": "one", "details": {}}, ("one",)),
    ("B-nested", {"message": [["one"]], "details": {"whatsapp_error": [["one"]]}}, ("one",)),
    (
        "B-details-say-more",
        {"message": "one", "details": {"whatsapp_error": "two", "error_user_title": "one"}},
        ("one", "two"),
    ),
    ("C", {"status": 400, "error": "Bad Request", "message": ["one"]}, ("one",)),
    ("C-boom", BOOM, ("Connection Closed",)),
    ("C-blank", {}, ()),
    ("D", {"error": "one"}, ("one",)),
    ("text-as-json", "one", ("one",)),
    ("null", None, ()),
    ("number", 7, ()),
    ("list", ["one"], ()),
]


@pytest.mark.parametrize(
    ("body", "messages"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES]
)
def test_every_shape_gives_its_texts(body: Any, messages: tuple[str, ...]) -> None:
    error = api(READ, 400, body)
    assert error.messages == messages
    assert error.raw == body
    assert (error.status, error.operation) == (400, "chat.find_contacts")


@pytest.mark.parametrize("message", [[["requires x"]], GROUP_SCHEMA], ids=["usual", "group"])
def test_a_schema_failure_is_final_whatever_its_words(message: Any) -> None:
    error = api(SEND, 400, usual(400, message))
    assert type(error) is errors.BadRequestError
    assert (error.phase, error.transient) == (Phase.ANSWERED, False)


def test_envelope_b_with_metas_refusal_is_metas_error() -> None:
    details = {
        "whatsapp_error": "There is already en_US content for this template.",
        "whatsapp_code": 100,
        "error_type": "OAuthException",
        "fbtrace_id": "trace",
    }
    body = {"status": 400, "error": "Bad Request", "message": "Exists", "details": details}
    error = api(READ, 400, body)
    assert isinstance(error, errors.MetaAPIError)
    assert (error.code, error.type, error.fbtrace_id) == (100, "OAuthException", "trace")
    assert error.messages == ("Exists", "There is already en_US content for this template.")


def test_envelope_b_with_the_servers_own_failure_is_judged_by_its_words() -> None:
    details = {"whatsapp_error": "Connection Closed", "whatsapp_code": "UNKNOWN_ERROR"}
    body = {"status": 400, "message": "Connection Closed", "details": details}
    assert isinstance(api(READ, 400, body), errors.InstanceNotConnectedError)
    catalog = "this.waMonitor.waInstances[instanceName].fetchCatalog is not a function"
    assert isinstance(
        api(READ, 400, {"message": catalog, "details": {}}), errors.ChannelNotSupportedError
    )


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("[object Object]", errors.InstanceNotConnectedError),
        ("Error: Connection Closed", errors.InstanceNotConnectedError),
        ("Something else", errors.BadRequestError),
    ],
)
def test_envelope_e_is_an_error_though_its_status_says_success(
    message: str, kind: type[EvolutionError]
) -> None:
    for name in ("instance.connect_instance", "instance.restart_instance"):
        error = api(OPERATIONS[name], 200, {"error": True, "message": message})
        assert type(error) is kind
        assert (error.status, error.messages) == (200, (message,))
        assert error.effect is Effect.IDEMPOTENT


def test_error_false_inside_a_success_is_a_success() -> None:
    answer = {"status": "SUCCESS", "error": False, "response": {"message": "Instance deleted"}}
    found = OPERATIONS["instance.delete_instance"].parse(200, json.dumps(answer).encode())
    assert found.message == "Instance deleted"


META: dict[str, Any] = {"message": "(#131030) Refused", "type": "OAuthException", "code": 131030}


@pytest.mark.parametrize("without", ["type", "code"])
def test_envelope_f_is_recognised_by_what_is_left_of_it(without: str) -> None:
    body = {key: value for key, value in META.items() if key != without}
    error = api(SEND, 201, body)
    assert isinstance(error, errors.MetaAPIError)
    assert error.effect is Effect.SEND


@pytest.mark.parametrize(("code", "passes"), [(130429, True), (131056, True), (131030, False)])
def test_metas_throttling_may_be_tried_again(code: int, passes: bool) -> None:
    error = api(SEND, 201, {**META, "code": code})
    assert error.retryable is passes
    assert api(SEND, 201, {**META, "is_transient": True}).retryable


@pytest.mark.parametrize("code", [[1], {"a": 1}, None, 1.5, "130429x"])
def test_metas_code_of_an_odd_type_does_no_harm(code: Any) -> None:
    assert not api(SEND, 201, {**META, "code": code}).retryable


def test_meta_texts_are_each_told_once() -> None:
    body = {**META, "error_user_msg": "Try later", "error_data": {"details": "(#131030) Refused"}}
    assert api(SEND, 201, body).messages == ("(#131030) Refused", "Try later")


def test_a_message_that_merely_looks_like_an_error_is_a_message() -> None:
    record = {"key": {"id": "1"}, "message": {"conversation": "x"}, "code": 1}
    assert SEND.parse(201, json.dumps(record).encode()).id == "1"


def test_envelope_g_plain_text() -> None:
    error = api(READ, 403, b"Forbidden: only from here")
    assert isinstance(error, errors.PermissionDeniedError)
    assert error.messages == ("Forbidden: only from here",)
    unexpected = failed(READ, 404, b"File not found")
    assert isinstance(unexpected, UnexpectedResponseError)
    assert unexpected.raw == "File not found"


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_envelope_h_an_empty_answer_of_a_feature_that_is_off(body: bytes) -> None:
    operation = replace(OPERATIONS["webhook.set_webhook"], empty_means="disabled")
    error = failed(operation, 201, body)
    assert isinstance(error, errors.FeatureDisabledError)
    assert error.effect is Effect.IDEMPOTENT
    assert "Enable it" in str(error)


def test_an_empty_answer_elsewhere() -> None:
    assert isinstance(failed(READ, 200, b""), UnexpectedResponseError)
    sent = SEND.decode(201, b"")
    assert isinstance(sent.value, SentMessage)
    assert sent.value.raw == ""
    assert sent.drift


@pytest.mark.parametrize("key", ["settings.find_settings", "webhook.find_webhook"])
def test_envelope_i_null_means_never_set(key: str) -> None:
    assert OPERATIONS[key].parse(200, b"null") is None
    assert READ.parse(200, b"null") == []


HTML = b"<!DOCTYPE html><html><body>Not Found</body></html>"


@pytest.mark.parametrize("status", [400, 404, 405])
@pytest.mark.parametrize("operation", [SEND, READ], ids=["send", "read"])
def test_a_web_page_instead_of_an_error(operation: Operation[Any], status: int) -> None:
    """Nothing was done: the API itself would have answered in JSON."""
    error = failed(operation, status, HTML)
    assert isinstance(error, UnexpectedResponseError)
    assert (error.status, error.phase, error.retryable) == (status, Phase.NOT_SENT, False)
    assert "EVOLUTION_API_URL" in str(error)
    assert error.raw == HTML.decode()
    assert "<" not in str(error)


@pytest.mark.parametrize("status", [200, 203])
def test_a_web_page_instead_of_a_success(status: int) -> None:
    for operation in (SEND, READ):
        error = failed(operation, status, HTML)
        assert isinstance(error, UnexpectedResponseError)
        assert error.phase is Phase.UNKNOWN
        assert "web page" in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_proxys_page_is_a_server_error_of_unknown_outcome(status: int) -> None:
    error = api(SEND, status, HTML)
    assert type(error) is errors.ServerError
    assert (error.phase, error.transient, error.retryable) == (Phase.UNKNOWN, True, False)
    assert error.raw == HTML.decode()
    assert error.messages in ((), ("",))
    assert "<" not in str(error)
    assert api(READ, status, HTML).retryable


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (413, errors.PayloadTooLargeError),
        (429, errors.RateLimitError),
    ],
)
def test_a_proxys_page_with_a_status_that_speaks(status: int, kind: type[EvolutionError]) -> None:
    assert type(failed(SEND, status, HTML)) is kind


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("body", [b"", HTML, b"{}"], ids=["empty", "page", "json"])
def test_redirects_are_not_followed_but_explained(status: int, body: bytes) -> None:
    error = failed(SEND, status, body)
    assert isinstance(error, UnexpectedResponseError)
    assert "redirect" in str(error)
    assert error.phase is Phase.NOT_SENT


CUT_OFF = b'{"key":{"id":"3EB0","remoteJid":"5511'


def test_a_cut_off_answer_of_a_send_is_a_send() -> None:
    """201 means it was accepted; raising would invite to send it again."""
    sent = SEND.decode(201, CUT_OFF)
    assert sent.value.raw == CUT_OFF.decode()
    assert sent.drift == sent.value.drift != ()


def test_a_cut_off_answer_of_a_read_may_be_asked_for_again() -> None:
    error = failed(READ, 200, CUT_OFF)
    assert isinstance(error, UnexpectedResponseError)
    assert error.retryable
    destructive = failed(OPERATIONS["instance.logout_instance"], 200, CUT_OFF)
    assert not destructive.retryable


def test_half_a_surrogate_pair_is_not_damage() -> None:
    """JavaScript cuts texts in the middle of an emoji and writes what is left as an escape."""
    body = b'[{"remoteJid": "1@s.whatsapp.net", "pushName": "Jo\\ud83d"}]'
    decoded = READ.decode(200, body)
    assert [contact.remote_jid for contact in decoded.value] == ["1@s.whatsapp.net"]
    assert decoded.value[0].raw["pushName"] == "Jo\ud83d"


def test_json_that_is_nested_without_end_is_an_error_of_ours() -> None:
    assert isinstance(failed(READ, 200, b"[" * 100_000), UnexpectedResponseError)


def test_cors_refusal_is_final() -> None:
    """It is thrown before any route, so that nothing was sent (`facts/semantics.md` §12)."""
    error = api(SEND, 500, usual(500, "Not allowed by CORS", "Internal Server Error"))
    assert isinstance(error, errors.PermissionDeniedError)
    assert (error.phase, error.transient) == (Phase.ANSWERED, False)


TEXTS: list[tuple[int, Any, type[EvolutionError], Phase, bool]] = [
    (400, ["Error: rate-overlimit"], errors.RateLimitError, Phase.NOT_SENT, True),
    (400, ["Error: Media upload failed on all hosts"], errors.ServerError, Phase.NOT_SENT, True),
    (400, ["SessionError: No sessions"], errors.ServerError, Phase.NOT_SENT, True),
    (500, "Timed Out", errors.ServerError, Phase.NOT_SENT, True),
    (400, ["Error: Timed Out"], errors.ServerError, Phase.UNKNOWN, True),
    (400, ["PrismaClientKnownRequestError: \nx"], errors.BadRequestError, Phase.UNKNOWN, False),
    (
        400,
        ["TypeError: Cannot read properties of undefined (reading 'message')"],
        errors.BadRequestError,
        Phase.UNKNOWN,
        False,
    ),
    (
        500,
        "Cannot read properties of undefined (reading 'textMessage')",
        errors.ServerError,
        Phase.UNKNOWN,
        False,
    ),
    (
        500,
        "Cannot read properties of undefined (reading 'sendMessage')",
        errors.InstanceNotConnectedError,
        Phase.NOT_SENT,
        True,
    ),
    (400, ["Typebot is disabled"], errors.FeatureDisabledError, Phase.ANSWERED, False),
    (500, ["Error: no image"], errors.ServerError, Phase.NOT_SENT, True),
    (500, "Something broke", errors.ServerError, Phase.UNKNOWN, True),
    (404, ["Message not found"], errors.NotFoundError, Phase.ANSWERED, False),
]


@pytest.mark.parametrize(
    ("status", "message", "kind", "phase", "transient"),
    TEXTS,
    ids=[f"{row[0]}-{row[1]}"[:50] for row in TEXTS],
)
def test_the_words_of_a_failed_send_decide(
    status: int, message: Any, kind: type[EvolutionError], phase: Phase, transient: bool
) -> None:
    error = failed(SEND, status, usual(status, message))
    assert type(error) is kind
    assert (error.phase, error.transient) == (phase, transient)


def test_what_is_ambiguous_for_a_send_is_plain_for_a_read() -> None:
    error = failed(READ, 400, usual(400, ["PrismaClientKnownRequestError: \nx"]))
    assert error.phase is Phase.ANSWERED


def test_drift_is_told_with_the_value() -> None:
    decoded = STATE.decode(200, b'{"instance": {"instanceName": 7}}')
    assert decoded.drift == ("instance.instanceName",)
    assert drift_of([decoded.value, decoded.value]) == ("instance.instanceName",)
    assert decoded.value.raw == {"instance": {"instanceName": 7}}
    assert drift_of("text") == ()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, ['The "x" instance does not exist']),
        (400, ['The "x" instance does not exist']),
        (404, ['Instance "x" not found']),
        (500, "Instance not found"),
    ],
)
def test_an_unknown_instance_is_one_under_any_status(status: int, message: Any) -> None:
    body = {"status": status, "error": "x", "response": {"message": message}}
    with pytest.raises(errors.InstanceNotFoundError):
        OPERATIONS["instance.connection_state"].parse(status, json.dumps(body).encode())
