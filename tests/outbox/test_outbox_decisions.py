"""What follows from a call or a look: every error in every phase, and every answer of a look."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from evolution_sdk import errors
from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import EvolutionAPIError, EvolutionError
from evolution_sdk.models.message import SentMessage
from evolution_sdk.models.sent_search import SentSearch
from evolution_sdk.outbox.claims import ALL, Claim
from evolution_sdk.outbox.decisions import (
    Rules,
    after_call,
    after_failure,
    after_look,
    after_look_failure,
    failure_of,
)
from evolution_sdk.outbox.records import OutboxState
from evolution_sdk.outbox.settling import Done, Lost, Outcome, Postponed

RULES = Rules(max_failures=3)


def claim(**more: Any) -> Claim:
    """A claim of a first call."""
    values: dict[str, Any] = {
        "kind": "send", "id": 1, "key": "k", "instance": "sales", "chat": "c", "operation": "o",
        "payload": b"", "file": None, "on_unknown": "hold", "attempts": 1, "failures": 0,
        "looks": 0, "given_id": None, "begun_at": 0, "begun_steady": 0, "lost_steady": None,
        "boot": "b", "owner": "w", "wanted_at": 0, "ticket": "t",
    }  # fmt: skip
    return Claim(**(values | more))


def error(name: str, *, phase: Phase | None = None, **details: Any) -> EvolutionError:
    """An error of a class."""
    kind: Any = getattr(errors, name)
    if issubclass(kind, EvolutionAPIError):
        made = kind(400, ["words"])
    else:
        made = kind.__new__(kind)
        Exception.__init__(made, "words")
    for key, value in details.items():
        setattr(made, key, value)
    if phase is not None:
        made.phase = phase
    return made


class Case(NamedTuple):
    """What is to become of a message whose call failed before it reached the server's work."""

    becomes: str  # paused (and where), waits, tried again, refused
    where: str = ""
    details: dict[str, Any] = {}
    attempt: bool = True


LIMIT = {"limit": "daily_cap", "resets_in_ms": 9_000.0}
NOT_SENT = {
    "ArchiveError": Case("refused"),
    "AuthenticationError": Case("paused", "sales"),
    "BadRequestError": Case("refused"),
    "BulkheadFullError": Case("waits", attempt=False),
    "ChannelNotSupportedError": Case("refused"),
    "CircuitOpenError": Case(
        "paused", ALL, {"scope": "server", "retry_after_ms": 700.0}, attempt=False
    ),
    "ClientClosedError": Case("waits", attempt=False),
    "ConfigurationError": Case("paused", ALL, attempt=False),
    "ConnectionFailedError": Case("paused", ALL, attempt=False),
    "DeliveryFailedError": Case("refused"),
    "DeliveryRefusedError": Case("refused"),
    "EvolutionAPIError": Case("refused"),
    "EvolutionError": Case("refused"),
    "EvolutionTimeoutError": Case("paused", ALL, attempt=False),
    "FeatureDisabledError": Case("refused"),
    "InstanceAlreadyExistsError": Case("refused"),
    "InstanceNotConnectedError": Case("paused", "sales"),
    "InstanceNotFoundError": Case("paused", "sales"),
    "LicenseRequiredError": Case("paused", ALL),
    "MetaAPIError": Case("refused"),
    "NewContactsPausedError": Case(
        "waits", details={"until": datetime(2026, 1, 1, tzinfo=UTC), "retry_after_ms": 5_000.0},
        attempt=False,
    ),
    "NotFoundError": Case("refused"),
    "OutboxConflictError": Case("refused"),
    "OutboxEndedError": Case("refused"),
    "OutboxStoreError": Case("refused"),
    "PayloadTooLargeError": Case("refused"),
    "PermissionDeniedError": Case("paused", "sales"),
    "RateLimitError": Case("paused", "sales", {"retry_after_ms": 800}),
    "RecipientNotFoundError": Case("refused"),
    "RecipientOptedOutError": Case("refused"),
    "RequestValidationError": Case("refused"),
    "ResponseTooLargeError": Case("paused", ALL, attempt=False),
    "RouteNotFoundError": Case("paused", ALL),
    "SendLimitError": Case("paused", "sales", LIMIT, attempt=False),
    "SendOutcomeUnknownError": Case("refused"),
    "ServerError": Case("tried again"),
    "ServerVersionError": Case("paused", ALL),
    "TransportError": Case("paused", ALL, attempt=False),
    "UnexpectedResponseError": Case("paused", ALL, attempt=False),
    "UnsupportedByServerError": Case("refused"),
    "WaitTimeoutError": Case("tried again"),
}  # fmt: skip
AT_THE_DOOR = {
    "AuthenticationError", "PermissionDeniedError", "LicenseRequiredError",
    "InstanceNotFoundError", "RouteNotFoundError", "ServerVersionError",
}  # fmt: skip


def test_every_public_error_is_decided_on() -> None:
    assert set(NOT_SENT) == set(errors.__all__)


def check(case: Case, found: Outcome) -> None:
    if case.becomes == "refused":
        assert isinstance(found, Done)
        assert (found.state, found.message_id) == (OutboxState.FAILED, None)
        assert found.error is not None
        return
    assert isinstance(found, Postponed)
    assert found.called is case.attempt
    if case.becomes == "paused":
        assert found.pause is not None
        assert (found.pause.instance, found.counts) == (case.where, False)
        told = case.details.get("retry_after_ms", case.details.get("resets_in_ms"))
        assert found.pause.wait_ms == told
    else:
        assert found.pause is None
        assert found.wait_ms > 0
        assert found.counts is (case.becomes == "tried again")


@pytest.mark.parametrize("name", errors.__all__)
def test_what_surely_was_not_sent_waits_or_is_refused(name: str) -> None:
    case = NOT_SENT[name]
    failed = error(name, phase=Phase.NOT_SENT, **case.details)
    check(case, after_failure(failed, claim(), RULES))


@pytest.mark.parametrize("name", errors.__all__)
def test_what_may_have_been_sent_is_looked_for_whatever_the_error_is(name: str) -> None:
    for transient in (False, True):
        failed = error(name, phase=Phase.UNKNOWN, transient=transient, **NOT_SENT[name].details)
        found = after_failure(failed, claim(failures=99, on_unknown="resend"), RULES)
        assert isinstance(found, Lost)
        assert found.wait_ms > 0


@pytest.mark.parametrize("name", errors.__all__)
def test_an_answer_for_good_ends_the_message_and_a_passing_one_is_looked_into(name: str) -> None:
    details = NOT_SENT[name].details
    refused = error(name, phase=Phase.ANSWERED, transient=False, **details)
    passing = error(name, phase=Phase.ANSWERED, transient=True, **details)
    if name in AT_THE_DOOR:
        # They come before the server looks at the message: the person sets it right.
        check(NOT_SENT[name], after_failure(refused, claim(), RULES))
        return
    check(Case("refused"), after_failure(refused, claim(), RULES))
    assert isinstance(after_failure(passing, claim(), RULES), Lost)


@pytest.mark.parametrize("failed", [ValueError("x"), KeyError("x"), RuntimeError("5511987654321")])
def test_a_mistake_of_ours_proves_nothing_and_its_text_is_not_kept(failed: Exception) -> None:
    found = after_failure(failed, claim(), RULES)
    assert isinstance(found, Lost)
    assert failure_of(failed).text == ""


def test_a_limit_is_no_trouble_and_names_itself() -> None:
    found = after_failure(error("SendLimitError", **LIMIT), claim(), RULES)
    assert isinstance(found, Postponed)
    assert found.pause is not None
    assert (found.pause.reason, found.pause.trouble) == ("limit: daily_cap", False)
    gap = error("SendLimitError", limit="recipient_gap_ms", resets_in_ms=400.0)
    held = after_failure(gap, claim(), RULES)
    assert isinstance(held, Postponed)
    assert (held.wait_ms, held.pause, held.called) == (400.0, None, False)


def test_a_proxy_in_front_of_a_server_that_is_away_pauses_it_all() -> None:
    failed = error("ServerError", phase=Phase.NOT_SENT, by_server=False, retry_after_ms=300)
    found = after_failure(failed, claim(), RULES)
    assert isinstance(found, Postponed)
    assert found.pause is not None
    assert (found.pause.instance, found.pause.wait_ms) == (ALL, 300)


def test_the_breaker_of_an_instance_pauses_that_one() -> None:
    failed = error("CircuitOpenError", scope="instance", retry_after_ms=5.0)
    found = after_failure(failed, claim(), RULES)
    assert isinstance(found, Postponed)
    assert found.pause is not None
    assert found.pause.instance == "sales"


def test_passing_refusals_of_one_message_wait_longer_each_time_and_end() -> None:
    failed = error("ServerError", phase=Phase.NOT_SENT)
    waits = []
    for failures in range(2):
        found = after_failure(failed, claim(failures=failures), RULES)
        assert isinstance(found, Postponed)
        waits.append(found.wait_ms)
    assert waits[0] < waits[1]
    check(Case("refused"), after_failure(failed, claim(failures=2), RULES))


# ------------------------------------------------------------------------------------ looks


def message() -> SentMessage:
    return SentMessage.model_validate(
        {
            "key": {"id": "3EB0A", "remoteJid": "5511@s.whatsapp.net", "fromMe": True},
            "messageTimestamp": 1_700_000_000,
        }
    )


@pytest.mark.parametrize("left_ms", [0.0, 5_000.0])
def test_what_is_found_is_sent_at_once(left_ms: float) -> None:
    found = after_look(SentSearch("found", (message(),), "found"), claim(), left_ms)
    assert isinstance(found, Done)
    assert (found.state, found.message_id, found.found) == (OutboxState.SENT, "3EB0A", True)
    answered = after_call(message())
    assert isinstance(answered, Done)
    assert answered.server_time == 1_700_000_000_000


def test_an_answer_without_an_id_is_looked_up_and_believed_unless_the_look_is_sure() -> None:
    cut_short = after_call(SentMessage.model_validate({}))
    assert isinstance(cut_short, Lost)
    assert cut_short.answered
    for looks, expected in ((0, Lost), (1, Lost), (2, Done)):
        for left_ms in (0.0, 5_000.0):
            of = claim(looks=looks, answered=True)
            unsure = after_look(SentSearch("unknown", (), "why"), of, left_ms)
            absent = after_look(SentSearch("absent", (), "why"), of, left_ms)
            failed = after_look_failure(error("BadRequestError"), of, left_ms)
            assert isinstance(unsure, expected)
            if isinstance(unsure, Done):
                assert (unsure.state, unsure.message_id) == (OutboxState.SENT, None)
                assert isinstance(absent, Done)
                assert absent.state is OutboxState.UNKNOWN
                assert isinstance(failed, Done)
                assert failed.state is OutboxState.SENT
    # Never sent again on its own.
    assert not isinstance(absent, Postponed)


@pytest.mark.parametrize("status", ["absent", "unknown"])
@pytest.mark.parametrize("on_unknown", ["hold", "resend"])
@pytest.mark.parametrize("looks", [0, 3, 50])
def test_nothing_counts_while_the_server_may_be_at_work(
    status: Any, on_unknown: str, looks: int
) -> None:
    found = after_look(SentSearch(status, (), "r"), claim(looks=looks, on_unknown=on_unknown), 0.1)
    assert isinstance(found, Lost)
    assert found.looked
    assert 0 < found.wait_ms <= 0.1


def test_what_is_surely_absent_is_sent_again() -> None:
    found = after_look(SentSearch("absent", (), "r"), claim(), 0)
    assert isinstance(found, Postponed)
    assert (found.wait_ms, found.called, found.counts) == (0, True, False)


def test_what_is_not_provable_is_told_after_some_looks() -> None:
    search = SentSearch("unknown", (), "why")
    assert isinstance(after_look(search, claim(), 0), Lost)
    held = after_look(search, claim(looks=2), 0)
    assert isinstance(held, Done)
    assert (held.state, held.reason) == (OutboxState.UNKNOWN, "why")
    again = after_look(search, claim(looks=2, on_unknown="resend"), 0)
    assert isinstance(again, Postponed)
    assert "why" in again.reason


@pytest.mark.parametrize("name", errors.__all__)
@pytest.mark.parametrize("left_ms", [0.0, 5_000.0])
def test_a_look_that_failed_never_proves_that_nothing_was_sent(name: str, left_ms: float) -> None:
    for transient in (False, True):
        failed = error(name, transient=transient, **NOT_SENT[name].details)
        for looks in (0, 2, 19, 99):
            found = after_look_failure(failed, claim(looks=looks), left_ms)
            assert not isinstance(found, Postponed)
            if isinstance(found, Done):
                assert found.state is OutboxState.UNKNOWN
                assert left_ms == 0
                assert looks >= 2
                assert found.reason


def test_a_server_that_fails_for_a_while_is_asked_again() -> None:
    failed = error("ServerError", transient=True)
    assert isinstance(after_look_failure(failed, claim(looks=10), 0), Lost)
    assert isinstance(after_look_failure(failed, claim(looks=30), 0), Done)


def test_a_look_without_a_server_pauses_instead_of_counting() -> None:
    found = after_look_failure(error("ConnectionFailedError", transient=True), claim(looks=99), 0)
    assert isinstance(found, Lost)
    assert found.pause is not None
    assert not found.looked


def test_a_look_that_always_fails_by_a_fault_of_ours_ends_in_doubt() -> None:
    """Its chat must not wait for ever, however long the server may be at work by our reckoning."""
    fault = ValueError("not enough values to unpack")
    assert isinstance(after_look_failure(fault, claim(looks=2), 1.0), Lost)
    ended = after_look_failure(fault, claim(looks=30), 1.0)
    assert isinstance(ended, Done)
    assert (ended.state, ended.reason) == (
        OutboxState.UNKNOWN,
        "it could not be looked for: ValueError",
    )
