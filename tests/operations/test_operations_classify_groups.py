"""Answers that no recording shows, but the server's source and its facts do."""

from __future__ import annotations

import json
import pickle
from typing import Any, NamedTuple

import pytest

from evolution_sdk import OPERATIONS, Effect, Phase, errors
from evolution_sdk.errors import EvolutionAPIError

SENT_NOT, UNKNOWN, ANSWERED = Phase.NOT_SENT, Phase.UNKNOWN, Phase.ANSWERED


def told(status: int, *messages: Any) -> tuple[int, bytes]:
    body = {"status": status, "error": "x", "response": {"message": list(messages)}}
    return status, json.dumps(body).encode()


def flat(message: Any, code: Any = "UNKNOWN_ERROR", **details: Any) -> tuple[int, bytes]:
    """Envelope B of /template and /business."""
    details = {"whatsapp_error": message, "whatsapp_code": code, **details}
    body = {"status": 400, "error": "Bad Request", "message": message, "details": details}
    return 400, json.dumps(body).encode()


def failure(operation: str, answer: tuple[int, bytes]) -> EvolutionAPIError:
    with pytest.raises(EvolutionAPIError) as caught:
        OPERATIONS[operation].parse(*answer)
    assert caught.value.effect is OPERATIONS[operation].effect
    return caught.value


class Case(NamedTuple):
    operation: str
    answer: tuple[int, bytes]
    error: type[EvolutionAPIError]
    phase: Phase = ANSWERED
    transient: bool = False


PLAIN_500 = b'{"status":500,"error":"Internal Server Error","response":{"message":"Timed Out"}}'
CASES = [
    # rights and unknown groups, under three statuses
    Case("group.update_group_subject",
         told(500, "Error updating group subject", "Error: forbidden"),
         errors.PermissionDeniedError),
    Case("group.update_group_picture",
         told(500, "Error update group picture", "Error: not-authorized"),
         errors.PermissionDeniedError),
    Case("group.update_participants", told(400, "Error updating participants", "Error: forbidden"),
         errors.PermissionDeniedError),
    Case("group.toggle_ephemeral", told(400, "Error updating setting", "Error: not-authorized"),
         errors.PermissionDeniedError),
    Case("group.fetch_invite_code", told(404, "No invite code", "Error: forbidden"),
         errors.PermissionDeniedError),
    Case("group.revoke_invite_code", told(404, "Revoke error", "Error: not-authorized"),
         errors.PermissionDeniedError),
    Case("group.accept_invite_code", told(404, "Accept invite error", "Error: forbidden"),
         errors.PermissionDeniedError),
    Case("group.leave_group", told(400, "Unable to leave the group", "Error: item-not-found"),
         errors.NotFoundError),
    Case("group.update_group_description",
         told(500, "Error updating group description", "Error: item-not-found"),
         errors.NotFoundError),
    Case("group.find_group_participants", told(404, "No participants", "Error: item-not-found"),
         errors.NotFoundError),
    Case("group.find_group_info", told(404, "Error fetching group", "TypeError: Cannot read "
         "properties of undefined (reading 'groupMetadata')"),
         errors.InstanceNotConnectedError, SENT_NOT, True),
    # creating takes several steps: whatever went wrong, the group may be there
    Case("group.create_group", told(500, "Error creating group", "Error: forbidden"),
         errors.ServerError, UNKNOWN, True),
    Case("group.create_group", told(500, "Error creating group", "Error: rate-overlimit"),
         errors.RateLimitError, UNKNOWN, True),
    Case("group.create_group", told(500, "Error creating group", "Error: Timed Out"),
         errors.ServerError, UNKNOWN, True),
    Case("group.create_group",
         told(500, "Error creating group", "Error updating participants,Error: bad-request"),
         errors.ServerError, UNKNOWN, True),
    Case("group.create_group", (429, b"slow down"), errors.RateLimitError, SENT_NOT, True),
    # the bookkeeping failed after the label was set; other causes come before
    Case("label.handle_label", told(400, "Unable to add label to chat", "Error: Timed Out"),
         errors.ServerError, UNKNOWN, True),
    Case("label.handle_label", told(404, "Number not found"), errors.RecipientNotFoundError),
    # envelope B
    Case("business.get_catalog", flat([{"jid": "1@s.whatsapp.net", "exists": False}]),
         errors.RecipientNotFoundError),
    Case("business.get_collections", flat([["limit is not of a type(s) number"]]),
         errors.BadRequestError),
    Case("template.create_template", flat("Connection error: connect ECONNREFUSED 1.2.3.4:443"),
         errors.ServerError, UNKNOWN, True),
    Case("template.find_templates", flat("Connection error: timeout of 0ms exceeded"),
         errors.ServerError, UNKNOWN, True),
    Case("template.create_template", flat("(#80007) Rate limit", 80007),
         errors.MetaAPIError, SENT_NOT, True),
    # low level
    Case("baileys.baileys_send_node", (500, PLAIN_500), errors.ServerError, UNKNOWN, True),
    Case("baileys.baileys_get_usync_devices", (500, PLAIN_500), errors.ServerError, SENT_NOT, True),
    Case("baileys.baileys_get_auth_state", (500, PLAIN_500.replace(
         b"Timed Out", b"Cannot read properties of undefined (reading 'authState')")),
         errors.InstanceNotConnectedError, SENT_NOT, True),
    # /metrics
    Case("root.get_metrics", told(404, "Cannot GET /metrics"), errors.FeatureDisabledError),
    Case("root.get_metrics", (401, b"Invalid credentials"), errors.AuthenticationError),
    Case("root.get_metrics", (403, b"Forbidden: IP not allowed"), errors.PermissionDeniedError),
    Case("root.get_metrics", (500, b"Metrics authentication not configured"), errors.ServerError),
    Case("root.get_metrics", told(404, "Cannot GET /prefix/metrics"), errors.RouteNotFoundError),
]  # fmt: skip


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{row.operation}-{row.error.__name__}-{n}" for n, row in enumerate(CASES)]
)
def test_words_become_the_exact_error(case: Case) -> None:
    error = failure(case.operation, case.answer)
    assert (type(error), error.phase, error.transient) == (case.error, case.phase, case.transient)


@pytest.mark.parametrize(
    "case", [c for c in CASES if OPERATIONS[c.operation].effect is Effect.SEND]
)
def test_what_acts_anew_is_repeated_only_when_it_surely_did_not_act(case: Case) -> None:
    error = failure(case.operation, case.answer)
    assert error.retryable is (case.phase is SENT_NOT and case.transient)


@pytest.mark.parametrize(
    ("operation", "answer", "advice"),
    [
        ("root.get_metrics", (401, b"Authentication required"), "METRICS_USER"),
        ("root.get_metrics", told(404, "Cannot GET /metrics"), "PROMETHEUS_METRICS=true"),
        ("label.handle_label", told(400, "Unable to add label to chat", "PrismaClientKnownRequest"
         "Error: \nInvalid `prisma.$executeRawUnsafe()`"), "WhatsApp has the change"),
    ],
)  # fmt: skip
def test_the_advice_fits_the_case(operation: str, answer: tuple[int, bytes], advice: str) -> None:
    error = failure(operation, answer)
    assert advice in str(error)
    assert "EVOLUTION_API_KEY" not in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_empty_list_of_templates_is_metas_refusal() -> None:
    error = failure("template.find_templates", (200, b""))
    assert type(error) is errors.MetaAPIError
    assert error.messages == ("Meta refused, and the server does not pass on why",)
    assert not error.retryable


def test_nothing_may_be_an_answer() -> None:
    def read(operation: str) -> tuple[Any, tuple[str, ...]]:
        decoded = OPERATIONS[operation].decode(200, b" ")
        return decoded.value, decoded.drift

    assert read("baileys.baileys_send_node") == (None, ())
    assert read("baileys.baileys_on_whatsapp") == ([], ())
    assert read("baileys.baileys_profile_picture_url") == (None, ())
    with pytest.raises(errors.UnexpectedResponseError):
        read("baileys.baileys_get_usync_devices")
    assert OPERATIONS["group.find_group_info"].parse(200, b"null") is None


def test_plain_answers_are_typed() -> None:
    def read(operation: str, body: bytes) -> Any:
        return OPERATIONS[f"baileys.baileys_{operation}"].parse(200, body)

    assert read("assert_sessions", b"true") is True
    assert read("assert_sessions", b"false") is False
    assert read("signal_decrypt", b'"AQI="') == b"\x01\x02"
    assert read("signal_decrypt", b'{"type":"Buffer","data":[1,2]}') == b"\x01\x02"
    assert read("signal_decrypt", b"null") == b""
    assert read("profile_picture_url", b"null") is None


def test_metrics_are_text_and_no_web_page() -> None:
    metrics = OPERATIONS["root.get_metrics"]
    assert metrics.parse(200, b"evolution_instances_total 4\n") == "evolution_instances_total 4\n"
    assert metrics.parse(200, b"4") == "4"
    with pytest.raises(errors.UnexpectedResponseError, match="web page"):
        metrics.parse(200, b"\n<!doctype html><html>")
