"""Rules of writing phone numbers: digits, national forms, and lines with two forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from evolution_sdk.errors import RequestValidationError

MIN_DIGITS, MAX_DIGITS = 8, 15  # E.164 allows 15 at most
DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbering of a country that writes a line in two ways, with and without a mark digit."""

    mark: str
    mark_at: int
    short: re.Pattern[str]
    local: re.Pattern[str]
    """A number without the country code, as it can be dialled nationally."""
    national: frozenset[int] = field(default_factory=frozenset[int])

    def variants(self, digits: str) -> tuple[str, ...]:
        at = self.mark_at
        if self.short.fullmatch(digits):
            return (digits, digits[:at] + self.mark + digits[at:])
        unmarked = digits[:at] + digits[at + 1 :]
        if digits[at : at + 1] == self.mark and self.short.fullmatch(unmarked):
            return (digits, unmarked)
        return (digits,)


PLANS: Mapping[str, Plan] = {
    # Only the old mobile ranges (6 to 9) got a ninth digit. Numbers from 2 to 5 are land lines, and
    # a mobile such as 9 4xxx-xxxx is a different line from the land line 4xxx-xxxx.
    "55": Plan(
        "9",
        4,
        re.compile(r"55[1-9][1-9][6-9][0-9]{7}"),
        re.compile(r"[1-9][1-9](?:9[0-9]{8}|[2-9][0-9]{7})"),
        frozenset({10, 11}),
    ),
    "52": Plan("1", 2, re.compile(r"52[0-9]{10}"), re.compile(r"[1-9][0-9]{9}"), frozenset({10})),
    "54": Plan(
        "9", 2, re.compile(r"54[0-9]{10}"), re.compile(r"9?[1-9][0-9]{9}"), frozenset({10, 11})
    ),
}


def require_text(value: object, field: str) -> str:
    """Reject a value that is not text: the server does not convert it, but answers 400."""
    if not isinstance(value, str):
        raise RequestValidationError(field, f"must be text, not {type(value).__name__}")
    return value


def why_not_digits(compact: str) -> str:
    if not compact:
        return "must not be empty"
    if any(c.isalpha() for c in compact):
        return "must be a phone number: letters are not allowed"
    return "must be digits, with + ( ) - . and blanks at most"


def check_digits(digits: str, field: str) -> None:
    if not DIGITS.fullmatch(digits):
        raise RequestValidationError(field, why_not_digits(digits))
    if digits.startswith("0"):
        raise RequestValidationError(
            field, "must begin with the country code, not with 0 (or give default_country_code)"
        )
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        raise RequestValidationError(
            field,
            f"must have {MIN_DIGITS} to {MAX_DIGITS} digits with the country code, "
            f"has {len(digits)}",
        )


def complete(digits: str, country_code: str, field: str) -> str:
    """Add the country code to a national number, or raise if that would be a guess."""
    code = require_text(country_code, "default_country_code").removeprefix("+")
    if not re.fullmatch(r"[1-9][0-9]{0,2}", code):
        raise RequestValidationError("default_country_code", "must be 1 to 3 digits, such as '55'")
    # Italy's leading 0 is part of the number; elsewhere it only means "national".
    national = digits if code == "39" else digits.removeprefix("0")
    plan = PLANS.get(code)
    if plan is None:
        # Without a plan, the lengths of national numbers are unknown.
        if national.startswith(code):
            raise RequestValidationError(
                field, f"may be national or begin with {code}: write it with a leading +"
            )
        return code + national
    if len(national) in plan.national:
        return code + national
    if digits.startswith(code) and len(digits) - len(code) in plan.national | {11}:
        return digits
    lengths = " or ".join(map(str, sorted(plan.national)))
    raise RequestValidationError(
        field, f"a national number of +{code} has {lengths} digits, this has {len(national)}"
    )


_LONGEST_LOCAL = 10
"""Most digits of a number taken as national in a country without a plan."""


def check_country_code(code: str, field: str) -> str:
    """Check a country code, and return its digits without a plus sign."""
    digits = require_text(code, field).strip().removeprefix("+")
    if not re.fullmatch(r"[1-9][0-9]{0,2}", digits):
        raise RequestValidationError(field, "must be 1 to 3 digits, such as '55'")
    return digits


def check_local(digits: str, marked: bool, code: str, field: str) -> None:
    """Reject a number that is not clearly a national one of a country.

    A client-wide country code is applied to every number without review. A number that already has
    another country code would otherwise reach a stranger.

    Args:
        digits: The number, without a leading 0 that marks it as national.
        marked: Whether it was written as a national one, with a 0 or a bracket first.
        code: The country code.
        field: Name of the field in errors.

    Raises:
        RequestValidationError: It may be a number of another country.
    """
    plan = PLANS.get(code)
    if plan is None:
        good = marked or len(digits) <= _LONGEST_LOCAL
    else:
        complete_already = digits.startswith(code) and len(digits) > max(plan.national)
        good = complete_already or plan.local.fullmatch(digits) is not None
    if not good:
        raise RequestValidationError(
            field,
            f"is not clearly a national number of +{code} (default_country_code): write it with "
            "+ and its country code",
        )
