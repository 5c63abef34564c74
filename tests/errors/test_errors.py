"""Every error pickles, copies, travels, judges itself, and shows no secret."""

from __future__ import annotations

import contextlib
import copy
import inspect
import pickle
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk import errors
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import EvolutionAPIError, EvolutionError

PAGE = Path(__file__).parents[2] / "docs" / "en" / "errors.md"
CLASSES = [getattr(errors, name) for name in errors.__all__]
SECRET = "s3cr3t-VALUE"


EXTRA: dict[type[EvolutionError], dict[str, Any]] = {
    errors.RecipientNotFoundError: {"number": "5511", "jid": "5511@s.whatsapp.net"},
    errors.RateLimitError: {"retry_after_ms": 5},
    errors.MetaAPIError: {"code": 1, "type": "OAuthException", "fbtrace_id": "t"},
}


MADE: dict[type[EvolutionError], Callable[[Any], EvolutionError]] = {
    errors.RequestValidationError: lambda kind: kind("number", "must be digits"),
    errors.SendOutcomeUnknownError: lambda kind: kind("message.send_text", "sales", "nothing"),
    errors.UnsupportedByServerError: lambda kind: kind("message.send_carousel", "2.4", "2.3.7"),
    errors.UnexpectedResponseError: lambda kind: kind(404, "message.send_text", SECRET, "Look."),
    errors.ResponseTooLargeError: lambda kind: kind(200, "chat.find_messages", 1_000),
    errors.NewContactsPausedError: lambda kind: kind(datetime(2026, 11, 27, tzinfo=UTC), 3, 60_000),
    errors.OutboxConflictError: lambda kind: kind("invoice-1", ("text",)),
    errors.OutboxEndedError: lambda kind: kind("invoice-1", "failed", "refused for good"),
    errors.OutboxStoreError: lambda kind: kind("it is away.", kind="unavailable", key="invoice-1"),
    errors.RecipientOptedOutError: lambda kind: kind(datetime(2026, 11, 27, tzinfo=UTC)),
    errors.DeliveryRefusedError: lambda kind: kind(
        "3EB0AA", code=463, meaning="a lock", advice="Stop.", reason_is_told=True
    ),
    errors.ConfigurationError: lambda kind: kind("set it", variable="EVOLUTION_API_KEY"),
}


def example(kind: type[EvolutionError]) -> EvolutionError:
    """One error of the class, with everything set that it can carry."""
    if issubclass(kind, EvolutionAPIError):
        texts, raw = ["one", "two"], {"token": SECRET}
        error: EvolutionError = kind(
            400, texts, "message.send_text", "sales", raw, **EXTRA.get(kind, {})
        )
    elif kind in MADE:
        error = MADE[kind](kind)
    elif issubclass(kind, errors.TransportError):
        error = kind("no route", phase=Phase.NOT_SENT)
    else:
        error = kind("words")
    error.effect, error.attempts, error.stopped_because = Effect.SEND, 3, "exhausted"
    error.add_note("seen by nobody")
    return error


def state(error: BaseException) -> tuple[Any, ...]:
    return type(error), str(error), repr(error), error.args, dict(error.__dict__)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_pickle_and_copy(kind: type[EvolutionError]) -> None:
    error = example(kind)
    twins = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(2, 6)]
    for twin in (*twins, copy.copy(error), copy.deepcopy(error)):
        assert state(twin) == state(error)
        assert (twin.phase, twin.transient, twin.retryable) == (
            error.phase,
            error.transient,
            error.retryable,
        )
    copy.copy(error).add_note("only on the copy")
    assert error.__notes__ == ["seen by nobody"]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_pass_through_context_managers(kind: type[EvolutionError]) -> None:
    @contextlib.contextmanager
    def passing() -> Iterator[None]:
        yield

    error = example(kind)
    with pytest.raises(kind) as caught, passing(), contextlib.ExitStack():
        raise error
    assert caught.value is error
    with pytest.raises(ExceptionGroup):
        raise ExceptionGroup("several", [error])


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_show_no_secret(kind: type[EvolutionError]) -> None:
    error = example(kind)
    for text in (str(error), repr(error), f"{error}", f"{error.args}"):
        assert SECRET not in text
        assert text
    assert repr(error) == f"{kind.__name__}({str(error)!r})"


PRISMA = f"""
Invalid `this.prismaRepository.message.create()` invocation in
<server>/src/api/x.ts:633:58

  data: {{ message: {{ conversation: "{SECRET}" }} }}
"""


@pytest.mark.parametrize(
    "text", [PRISMA, f"PrismaClientKnownRequestError: {SECRET}", f"line one\n{SECRET}"]
)
def test_a_database_error_is_not_repeated(text: str) -> None:
    """It echoes the whole row, message body included."""
    error = EvolutionAPIError(500, [text, "and"], "message.send_text", raw={"x": text})
    assert SECRET not in str(error)
    assert SECRET not in repr(error)
    assert error.messages == (text, "and")
    assert str(error).endswith("and")


def test_a_database_error_of_a_minified_server_is_named_as_one() -> None:
    text = f"\nInvalid `S.integrationSession.update()` invocation in\n/x/main.js:1:2\n{SECRET}"
    assert str(EvolutionAPIError(500, [text])).startswith("HTTP 500: database error on the server")


def test_many_texts_are_cut_after_the_numbers_are_masked() -> None:
    error = EvolutionAPIError(400, ["x" * 150, "y" * 188 + " 5511999991234", "z" * 150])
    assert len(str(error)) < 450
    assert "(all of it is in .messages)" in str(error)
    assert "55119999" not in str(error)


def test_a_long_text_is_cut_and_a_lost_one_explained() -> None:
    assert len(str(EvolutionAPIError(500, ["x" * 5000]))) < 300
    assert "[object" not in str(EvolutionAPIError(500, ["[object Object]"]))
    assert str(EvolutionAPIError(500)) == "HTTP 500: no detail given"
    assert str(EvolutionAPIError(500, ["", " \n"])) == "HTTP 500: no detail given"


def test_an_api_error_tells_status_operation_words_and_advice() -> None:
    error = errors.AuthenticationError(401, ["Unauthorized."], "message.send_text")
    assert str(error).startswith("HTTP 401 [message.send_text]: Unauthorized. Check EVOLUTION_API")


@given(
    st.sampled_from(CLASSES),
    st.booleans(),
    st.sampled_from(Phase),
    st.none() | st.sampled_from(Effect),
)
def test_retryable_is_a_matter_of_cause_phase_and_effect(
    kind: type[EvolutionError], transient: bool, phase: Phase, effect: Effect | None
) -> None:
    error = example(kind)
    error.transient, error.phase, error.effect = transient, phase, effect
    harmless = effect in (Effect.READ, Effect.IDEMPOTENT)
    assert error.retryable is (transient and (phase is Phase.NOT_SENT or harmless))


def test_details_are_those_of_the_class() -> None:
    bare: Any = errors.RecipientNotFoundError(400)
    assert (bare.number, bare.jid) == ("", "")
    meta: Any = errors.MetaAPIError(201)
    assert (meta.code, meta.type, meta.fbtrace_id) == (None, None, None)
    assert errors.RateLimitError(429).retry_after_ms is None
    with pytest.raises(TypeError, match="fbtrace_id"):
        errors.ServerError(500, fbtrace_id="t")


def test_a_class_changes_nothing_for_its_sisters() -> None:
    errors.ServerError(500).phase = Phase.NOT_SENT
    assert errors.ServerError(500).phase is Phase.UNKNOWN


def tree() -> dict[str, str]:
    """Child and parent of every line of the drawing in the module's docstring."""
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^(    [│ ├└─]*)(\w+(?:Error))\b", line)
        if not found:
            continue
        depth = (len(found[1]) - 4) // 4
        del above[depth:]
        drawn[found[2]] = above[-1] if above else "Exception"
        above.append(found[2])
    return drawn


def test_the_drawn_hierarchy_is_the_real_one() -> None:
    real = {kind.__name__: kind.__base__.__name__ for kind in CLASSES if kind.__base__}
    assert tree() == real


def test_every_class_of_the_module_is_exported() -> None:
    own = [
        n for n, k in vars(errors).items() if inspect.isclass(k) and k.__module__ == errors.__name__
    ]
    assert sorted(own) == errors.__all__ == sorted(errors.__all__)


def rows() -> dict[str, list[str]]:
    """The table of the page: class name to cells."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_page_names_every_class_with_when_phase_retryable_and_advice() -> None:
    table = rows()
    assert set(table) == set(errors.__all__)
    assert all(len(row) == 4 and all(row) for row in table.values())


def test_the_page_tells_the_phases_that_the_classes_have() -> None:
    for name, row in rows().items():
        default = getattr(errors, name).phase.value
        assert default in row[1], f"{name}: {default} is not in {row[1]}"
