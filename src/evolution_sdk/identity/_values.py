"""The value classes Jid and PhoneNumber."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from evolution_sdk._base.redact import mask_phone
from evolution_sdk.errors import RequestValidationError

from ._numbering import DIGITS, PLANS, check_digits, complete, require_text, why_not_digits

_USER_SERVER = "s.whatsapp.net"
_GROUP_SERVER = "g.us"
GROUP_ID = re.compile(r"120363[0-9]{12,}|[0-9]{8,15}-[0-9]{10}")
_USER = re.compile(r"[^@:\s]+")
_HOST = re.compile(r"[a-z0-9.-]+")
# JIDs arrive from outside, and int() refuses texts of more than 4,300 digits.
_MAX_DEVICE_DIGITS = 9
# Numbers copied from WhatsApp or a web page carry invisible direction marks and odd dashes.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2068\u2069\ufeff"))
_FORMATTING = re.compile(r"[\s().\-\u2010-\u2015\u2212]")


class JidKind(StrEnum):
    """The kind of a JID."""

    PHONE = "phone"
    """A person or business, by phone number."""
    LID = "lid"
    """A person by a hidden id, whose digits are not a phone number."""
    GROUP = "group"
    NEWSLETTER = "newsletter"
    """A channel; the server cannot send to it, and drops messages from it."""
    BROADCAST = "broadcast"
    """A broadcast list."""
    STATUS = "status"
    """``status@broadcast``, the stories."""
    UNKNOWN = "unknown"


_KINDS = {
    _USER_SERVER: JidKind.PHONE,
    "lid": JidKind.LID,
    _GROUP_SERVER: JidKind.GROUP,
    "newsletter": JidKind.NEWSLETTER,
    "broadcast": JidKind.BROADCAST,
}


@dataclass(frozen=True, slots=True, repr=False)
class Jid:
    """A WhatsApp id: ``user@server``, or ``user:device@server`` for one device.

    ``str(jid)`` is the canonical form, without the device. Two Jids are equal if user, server and
    device are equal; compare ``.bare`` to ignore the device.

    Attributes:
        user: The part before the ``@``, without the device.
        server: The part after it, in lower case; ``c.us`` becomes ``s.whatsapp.net``.
        device: Number of the linked device, or None if the id names the whole account.
    """

    user: str
    server: str
    device: int | None = None

    def __post_init__(self) -> None:
        user, server = require_text(self.user, "user"), require_text(self.server, "server").lower()
        object.__setattr__(self, "server", _USER_SERVER if server == "c.us" else server)
        if not (_USER.fullmatch(user) and user.isprintable() and _HOST.fullmatch(server)):
            raise RequestValidationError("jid", "must look like user@server, without blanks")
        if self.device is not None and not (
            # ``type``, because True is an int.
            type(self.device) is int and 0 <= self.device < 10**_MAX_DEVICE_DIGITS
        ):
            raise RequestValidationError("device", "must be a number of up to 9 digits, or None")

    @classmethod
    def parse(cls, text: str) -> Jid:
        """Read a JID, or a plain phone number or group id.

        A plain number is accepted because the EVOLUTION channel reports the ``number`` of a send
        unchanged as its ``remoteJid``.

        Args:
            text: Text such as ``5511999999999:12@s.whatsapp.net``, ``120363…@g.us``, ``…@lid``,
                ``status@broadcast`` or ``+55 (11) 99999-9999``.

        Returns:
            The JID, with its device if it had one.

        Raises:
            RequestValidationError: The text is none of these (``field`` is ``jid``).
        """
        text = require_text(text, "jid").strip()
        name, at, server = text.partition("@")
        if not at:
            if GROUP_ID.fullmatch(text):
                return cls(text, _GROUP_SERVER)
            return PhoneNumber.parse(text, field="jid").jid
        user, colon, device = name.partition(":")
        if colon and not (DIGITS.fullmatch(device) and len(device) <= _MAX_DEVICE_DIGITS):
            raise RequestValidationError("jid", "a device (after the colon) must be a number")
        return cls(user, server, int(device) if colon else None)

    @property
    def kind(self) -> JidKind:
        """The kind of this id."""
        if self.user == "status" and self.server == "broadcast":
            return JidKind.STATUS
        return _KINDS.get(self.server, JidKind.UNKNOWN)

    @property
    def bare(self) -> Jid:
        """The same id without the device."""
        return self if self.device is None else Jid(self.user, self.server)

    @property
    def phone(self) -> PhoneNumber | None:
        """The phone number, or None if the id does not contain one (``@lid`` never does)."""
        if self.kind is not JidKind.PHONE:
            return None
        try:
            return PhoneNumber(self.user)
        except RequestValidationError:
            return None

    @property
    def is_phone(self) -> bool:
        """Tell whether it names a person by phone number."""
        return self.kind is JidKind.PHONE

    @property
    def is_lid(self) -> bool:
        """Tell whether it names a person by a hidden id."""
        return self.kind is JidKind.LID

    @property
    def is_group(self) -> bool:
        """Tell whether it is a group."""
        return self.kind is JidKind.GROUP

    @property
    def is_newsletter(self) -> bool:
        """Tell whether it is a channel."""
        return self.kind is JidKind.NEWSLETTER

    @property
    def is_broadcast(self) -> bool:
        """Tell whether it is a broadcast list (``status@broadcast`` is not one)."""
        return self.kind is JidKind.BROADCAST

    @property
    def is_status(self) -> bool:
        """Tell whether it is ``status@broadcast``."""
        return self.kind is JidKind.STATUS

    def __str__(self) -> str:
        return f"{self.user}@{self.server}"

    def __repr__(self) -> str:
        # Masked as a whole, since only the server part shows whether the user is a phone number.
        user, _, server = mask_phone(str(self)).partition("@")
        return f"Jid(user={user!r}, server={server!r}, device={self.device!r})"


def spelled(text: str) -> tuple[str, bool, bool]:
    """Return a number's digits, and whether it is marked as national or as international."""
    text = text.translate(_INVISIBLE).strip()
    compact = _FORMATTING.sub("", text)
    international = compact.startswith(("+", "00"))
    marked = not international and (compact.startswith("0") or text.startswith("("))
    return compact.removeprefix("+").removeprefix("00"), marked, international


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """Phone number with its country code, as digits that are never altered.

    Attributes:
        digits: 8 to 15 digits, beginning with the country code.

    Raises:
        RequestValidationError: ``digits`` is anything else.
    """

    digits: str

    def __post_init__(self) -> None:
        check_digits(require_text(self.digits, "number"), "number")

    @classmethod
    def parse(
        cls, text: str, default_country_code: str | None = None, *, field: str = "number"
    ) -> PhoneNumber:
        """Read a number as people write it.

        A leading ``+`` or ``00``, blanks, brackets, dashes and dots are accepted.

        Args:
            text: The number, with its country code unless ``default_country_code`` is given.
            default_country_code: Digits such as ``"55"``: numbers without ``+`` or ``00`` are taken
                as national ones of that country. None (default) rejects national numbers that
                begin with a 0 or a bracket, and takes all others as complete.
            field: Name of the field in errors.

        Returns:
            The number, digit for digit as given.

        Raises:
            RequestValidationError: It is empty, has letters, is too short or too long, or could
                be national as well as international.
        """
        text = require_text(text, field).translate(_INVISIBLE).strip()
        compact, _, international = spelled(text)
        if not DIGITS.fullmatch(compact):
            raise RequestValidationError(field, why_not_digits(compact))
        if not international:
            if default_country_code is not None:
                compact = complete(compact, default_country_code, field)
            elif text.startswith("("):
                # A leading bracket means an area code: as it is, it would reach another country.
                raise RequestValidationError(
                    field,
                    "has no country code: write it like +55 (11) 98765-4321 "
                    "(or give default_country_code)",
                )
        check_digits(compact, field)
        return cls(compact)

    @property
    def e164(self) -> str:
        """The number with a leading ``+``."""
        return f"+{self.digits}"

    @property
    def jid(self) -> Jid:
        """The JID of exactly these digits, which the server does not rewrite."""
        return Jid(self.digits, _USER_SERVER)

    @property
    def country_code(self) -> str | None:
        """``55``, ``52`` or ``54`` if the number begins with it, otherwise None."""
        return self.digits[:2] if self.digits[:2] in PLANS else None

    def candidates(self) -> tuple[PhoneNumber, ...]:
        """Return the forms that the same line may have in WhatsApp, this one first.

        Brazil with and without the ninth digit, Mexico 52 and 521, Argentina 54 and 549. Only the
        server can tell which one exists: see ``pick_existing``.

        Returns:
            Different numbers, at least this one.
        """
        plan = PLANS.get(self.digits[:2])
        forms = plan.variants(self.digits) if plan else (self.digits,)
        return tuple(map(PhoneNumber, forms))

    def __str__(self) -> str:
        return self.e164

    def __repr__(self) -> str:
        return f"PhoneNumber(digits={mask_phone(self.digits)!r})"
