"""Numbers and JIDs as the server reads and returns them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from evolution_sdk._common.arguments import checked_call, refused
from evolution_sdk.errors import RequestValidationError

from ._numbering import check_local, require_text
from ._values import GROUP_ID, Jid, JidKind, PhoneNumber, spelled

_AnswerT = TypeVar("_AnswerT", bound=Mapping[str, Any])


def recipient(value: str | PhoneNumber | Jid) -> str:
    """Build the text for the ``number`` field of a send; digits are never changed.

    A plain number stays plain digits, which the server rewrites for 52, 54 and 55 (see
    ``server_jid``) and then checks with WhatsApp. To bypass that, pass ``PhoneNumber.jid``.

    Args:
        value: A number as people write it, a JID, or the bare id of a group.

    Returns:
        Digits, or a canonical JID (without device, ``@c.us`` as ``@s.whatsapp.net``).

    A channel (``…@newsletter``) needs server 2.4: earlier ones make the id of a person of it who
    does not exist, so that a client refuses it there.

    Raises:
        RequestValidationError: It names no possible recipient. The server would not notice: it
            turns an empty text into the id of a person who does not exist.
    """
    if isinstance(value, PhoneNumber):
        return value.digits
    if not isinstance(value, Jid):
        text = require_text(value, "number").strip()
        if "@" not in text and not GROUP_ID.fullmatch(text):
            return PhoneNumber.parse(text).digits
        try:
            value = Jid.parse(text)
        except RequestValidationError as error:
            raise RequestValidationError("number", error.rule) from None
    kind = value.kind
    if kind is JidKind.UNKNOWN:
        raise RequestValidationError(
            "number", "must end in @s.whatsapp.net, @g.us, @lid, @newsletter or @broadcast"
        )
    if kind is not JidKind.STATUS and not re.fullmatch(r"[0-9]+(-[0-9]+)?", value.user):
        raise RequestValidationError("number", "must have digits before the @")
    return str(value)


@checked_call(refused)
def with_country_code(value: str, code: str, field: str = "number") -> str | PhoneNumber:
    """Complete a national number; a number with a country code, a JID or a group is unchanged.

    Args:
        value: A number as people write it, a JID, or the bare id of a group.
        code: The country code of numbers without one, such as ``55``.
        field: Name of the field in errors.

    Returns:
        The text itself for a JID or a group, otherwise the number.

    Raises:
        RequestValidationError: It is not clearly a national number of that country.
    """
    text = value.strip()
    if "@" in text or GROUP_ID.fullmatch(text):
        return value
    number = PhoneNumber.parse(text, code, field=field)
    digits, marked, international = spelled(text)
    if not international:
        check_local(digits if code == "39" else digits.removeprefix("0"), marked, code, field)
    return number


# The characters of \s in JavaScript, which differ from Python's.
_JS_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_DROPPED = re.compile(f"[{_JS_SPACE}+()]")
_TAKEN_AS_IS = ("@g.us", "@s.whatsapp.net", "@lid", "@broadcast")


@checked_call(refused)
def server_jid(number: str) -> str:
    """Build the JID that the server makes of a ``number`` (2.3.6; `facts/semantics.md` §5).

    Use it to look for stored messages. A send may still be stored under another id, because the
    server then asks WhatsApp. The EVOLUTION channel stores messages under the raw number instead.

    Args:
        number: Any text. Nothing is rejected, because the server rejects nothing here either (an
            empty text becomes ``@s.whatsapp.net``).

    Returns:
        The JID.
    """
    # In the order of the server's own steps (`facts/semantics.md` §5).
    number = re.sub(r":[0-9]+", "", number, count=1)
    if any(suffix in number for suffix in _TAKEN_AS_IS):
        return number
    number = _DROPPED.sub("", number).split(":")[0].split("@")[0]
    # JavaScript counts the length in UTF-16 units.
    if "-" in number and len(number.encode("utf-16-le", "surrogatepass")) // 2 >= 24:
        return re.sub(r"[^0-9-]", "", number) + "@g.us"
    digits = re.sub(r"[^0-9]", "", number)
    if len(digits) >= 18:
        return f"{digits}@g.us"
    if len(digits) == 13:
        digits = _rewrite(digits)
    return f"{digits}@s.whatsapp.net"


def _rewrite(digits: str) -> str:
    """Drop the digit that the server drops from a number with 13 digits."""
    country, area, first = digits[:2], int(digits[2:4]), int(digits[5])
    if country in ("52", "54"):
        return digits[:2] + digits[3:]
    if country == "55" and area >= 31 and first >= 7:
        return digits[:4] + digits[5:]
    return digits


# By country code: the extra digit that a mobile number may have, and its position.
_MOBILE_DIGIT = {"55": ("9", 4), "52": ("1", 2), "54": ("9", 2)}


def server_spellings(digits: str) -> tuple[str, ...]:
    """Build the two spellings from which the server lets WhatsApp choose (2.3.6).

    Unlike ``PhoneNumber.candidates`` it uses no numbering plan, so a land line gets a second
    spelling, too.

    Args:
        digits: The number, with its country code.

    Returns:
        Two numbers for Brazil, Mexico or Argentina with 12 or 13 digits, otherwise none.
    """
    rule = _MOBILE_DIGIT.get(digits[:2])
    if rule is None or len(digits) not in (12, 13):
        return ()
    digit, at = rule
    whole = len(digits) == 13
    longer = digits if whole and digits[at] == digit else digits[:at] + digit + digits[at:]
    shorter = digits[:at] + digits[at + 1 :] if whole else digits
    return longer, shorter


def same_line(a: str | PhoneNumber | Jid, b: str | PhoneNumber | Jid) -> bool:
    """Tell whether two ids belong to the same phone line, group or other id, devices aside.

    Forms that differ only in the Brazilian ninth digit, Mexico's 1 or Argentina's 9 are the same
    line. A phone number and a ``@lid`` are never equal: only the server can relate them.

    Raises:
        RequestValidationError: One of the texts is neither a number nor a JID.
    """
    left, right = _as_jid(a), _as_jid(b)
    phone, other = left.phone, right.phone
    if phone is None or other is None:
        return left == right
    return other in phone.candidates()


def _as_jid(value: str | PhoneNumber | Jid) -> Jid:
    if isinstance(value, PhoneNumber):
        return value.jid
    return (value if isinstance(value, Jid) else Jid.parse(value)).bare


@checked_call(refused)
def match_number(
    requested: str | PhoneNumber | Jid, answers: Iterable[_AnswerT]
) -> _AnswerT | None:
    """Find the answer of ``whatsappNumbers`` about one requested number.

    The server answers in an order of its own and repeats the requested text in ``number``; its
    ``jid`` may be another form of the line.

    Args:
        requested: The number as it was requested.
        answers: The objects of the response.

    Returns:
        The answer, or None if there is none about this number.
    """
    # First by the exact text, which the server repeats, then by the number that it means.
    wanted = recipient(requested)
    exact = requested if isinstance(requested, str) else wanted
    rest: list[_AnswerT] = []
    for answer in answers:
        if not isinstance(answer, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise RequestValidationError("answers", "must hold the objects of the answer")
        if answer.get("number") == exact:
            return answer
        rest.append(answer)
    # No exact match: the caller may have written the same number in another way.
    return next((a for a in rest if _same_text(a.get("number"), wanted)), None)


def _same_text(number: object, wanted: str) -> bool:
    try:
        return isinstance(number, str) and recipient(number) == wanted
    except RequestValidationError:
        return False


@checked_call(refused)
def pick_existing(number: PhoneNumber, answers: Iterable[_AnswerT]) -> _AnswerT | None:
    """Find the first of a number's candidates that exists on WhatsApp.

    The candidates may have been requested as JIDs, or as digits, which the server rewrites before
    it looks them up.

    Args:
        number: The number in question; its own form is preferred over its variants.
        answers: The objects of a ``whatsappNumbers`` response for ``number.candidates()``.

    Returns:
        The answer, whose ``jid`` is the one to use, or None if no form exists.
    """
    known = list(answers)
    # Each form as digits and as a JID, whichever was asked: the server rewrites digits only.
    forms = (form for line in number.candidates() for form in (line, line.jid))
    found = (match_number(form, known) for form in forms)
    return next((a for a in found if a is not None and a.get("exists") is True), None)
