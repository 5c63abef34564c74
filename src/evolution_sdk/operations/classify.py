"""From an error answer to the exact error: by the table for the server's own words, else by status.

Facts: `facts/semantics.md` §2 and §7, `facts/observed.md`, `facts/versions/versions.md`.
"""

from __future__ import annotations

from typing import Any

from evolution_sdk import errors
from evolution_sdk._base.effect import Effect, Phase

from .envelopes import meta_texts, read_error
from .error_facts import USUAL_ERRORS, ErrorFacts
from .error_rules import RULES
from .own_words import is_license_gate, is_own, is_passing, is_refusal

_NOT_SENT = Phase.NOT_SENT
_UNKNOWN = Phase.UNKNOWN

# Meta's codes for throttling and passing trouble; a refused call was not acted upon.
_META_PASSING = frozenset({1, 2, 4, 80007, 130429, 131016, 131048, 131056, 133016})


def classify(
    status: int,
    data: Any,
    operation: str,
    effect: Effect,
    facts: ErrorFacts = USUAL_ERRORS,
) -> errors.EvolutionAPIError:
    """Find the exact error for an answer that is one.

    Args:
        status: HTTP status.
        data: The decoded body, or its text when it is not JSON.
        operation: Key of the operation.
        effect: What the operation does; decides how cautious to be.
        facts: What is special about its error answers.

    Returns:
        The error, with its phase and whether it passes.
    """
    error = _specific(status, data, operation, effect, facts)
    error.effect = effect
    return error


def classify_hidden(
    status: int, data: Any, operation: str, effect: Effect, facts: ErrorFacts = USUAL_ERRORS
) -> errors.EvolutionAPIError:
    """Find the exact error for a failure that the server reports as a success (envelope E).

    Args:
        status: The status that such a failure would have.
        data: The decoded body.
        operation: Key of the operation.
        effect: What the operation does.
        facts: What is special about its error answers.

    Returns:
        The error.
    """
    error = _by_rules(status, data, operation, effect, facts)
    error.effect = effect
    return error


def _specific(
    status: int, data: Any, operation: str, effect: Effect, facts: ErrorFacts
) -> errors.EvolutionAPIError:
    # A proxy's words must not be read by the rules made for the server's.
    if not is_own(status, data, effect, facts):
        return _foreign(status, data, operation, effect)
    if is_license_gate(status, data):
        return _not_activated(status, data, operation)
    return _by_rules(status, data, operation, effect, facts)


# What the statuses mean by whomever they were written.
_BY_STATUS: dict[int, type[errors.EvolutionAPIError]] = {
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    413: errors.PayloadTooLargeError,
    429: errors.RateLimitError,
}
_NOT_ITS_WORDS = "These are not the Evolution server's own words"
_GATEWAY = f"{_NOT_ITS_WORDS}: a proxy answered in its place; see its log, and if the server runs"
_ELSEWHERE = f"{_NOT_ITS_WORDS}: check EVOLUTION_API_URL, it must be the API's base URL"
_GATEWAY_STATUSES = frozenset({408, 460, 499, 500, 502, 503, 504})


def _foreign(status: int, data: Any, operation: str, effect: Effect) -> errors.EvolutionAPIError:
    """Judge an answer of somebody else by its status alone: its words prove nothing."""
    passing = is_passing(status)
    kind = errors.ServerError if passing else _BY_STATUS.get(status, errors.BadRequestError)
    error = kind(status, read_error(data).messages, operation, raw=data)
    error.by_server = False
    error.transient = passing or kind is errors.RateLimitError
    if passing or (effect is not Effect.READ and not is_refusal(status)):
        error.phase = _UNKNOWN
    if kind in (errors.ServerError, errors.BadRequestError):
        error.advice = _GATEWAY if status in _GATEWAY_STATUSES else _ELSEWHERE
    return error


def _not_activated(status: int, data: Any, operation: str) -> errors.LicenseRequiredError:
    told = {name: _text(data.get(name)) for name in ("register_url", "instance_id", "docs_url")}
    return errors.LicenseRequiredError(
        status, read_error(data).messages, operation, raw=data, **told
    )


def _by_rules(
    status: int, data: Any, operation: str, effect: Effect, facts: ErrorFacts
) -> errors.EvolutionAPIError:
    body = read_error(data)
    if body.missing_recipient is not None:
        return errors.RecipientNotFoundError(
            status,
            body.messages,
            operation,
            raw=data,
            number=str(body.missing_recipient.get("number", "")),
            jid=str(body.missing_recipient.get("jid", "")),
        )
    if body.meta is not None:
        code, kind = body.meta.get("whatsapp_code"), body.meta.get("error_type")
        trace = body.meta.get("fbtrace_id")
        return _meta(status, body.messages, operation, data, (code, kind, trace))
    text = "; ".join(body.messages)
    # The order of the table decides: the first rule that matches wins.
    rule = next(rule for rule in RULES if rule.matches(status, text, body, facts, effect))
    error = rule.error(status, body.messages, operation, raw=data)
    error.phase, error.transient = rule.phase, rule.transient
    if rule.concerns is not None:
        error.concerns = rule.concerns
    doubt = facts.may_have_acted
    # Words that prove "not sent" elsewhere do not prove it on this route.
    if error.phase is _NOT_SENT and doubt is not None and doubt.search(text):
        error.phase = _UNKNOWN
    if rule.advice:
        error.advice = rule.advice
    return error


def meta_error(status: int, data: Any, operation: str) -> errors.MetaAPIError:
    """Build the error for Meta's refusal inside a 201 (envelope F).

    Args:
        status: HTTP status.
        data: The bare Meta error object.
        operation: Key of the operation.

    Returns:
        The error; transient where Meta's code is one of throttling or passing trouble.
    """
    told = (data.get("code"), data.get("type"), data.get("fbtrace_id"))
    error = _meta(status, meta_texts(data), operation, data, told)
    if data.get("is_transient") is True:
        error.transient, error.phase = True, Phase.NOT_SENT
    return error


def _meta(
    status: int, texts: tuple[str, ...], operation: str, data: Any, told: tuple[Any, Any, Any]
) -> errors.MetaAPIError:
    code, kind, trace = told
    error = errors.MetaAPIError(
        status,
        texts,
        operation,
        raw=data,
        code=code if isinstance(code, int | str) else None,
        type=_text(kind),
        fbtrace_id=_text(trace),
    )
    if error.code in _META_PASSING:
        error.transient, error.phase = True, Phase.NOT_SENT
    return error


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
