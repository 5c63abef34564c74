"""JIDs as the server makes them of numbers, and the variants that it takes for one phone."""

from __future__ import annotations

import re

_BRAZIL_13 = re.compile(r"^55(\d{2})\d(\d{8})$")
_DOMAINS = ("@g.us", "@s.whatsapp.net", "@lid", "@broadcast", "@newsletter")
USER_SUFFIX = "@s.whatsapp.net"


def is_group(jid: str) -> bool:
    """Tell if a JID names a group."""
    return jid.endswith("@g.us")


def is_user(jid: str) -> bool:
    """Tell if a JID names a phone number (not a LID)."""
    return jid.endswith(USER_SUFFIX)


def is_channel(jid: str) -> bool:
    """Tell if a JID names a channel."""
    return jid.endswith("@newsletter")


def create_jid(number: str) -> str:
    """Rewrite a number as the server does before anything else looks at it.

    A device suffix goes; anything with a known domain stays as it is; 18 digits and more are a
    group; 13-digit Mexican, Argentinian and some Brazilian numbers lose a digit.
    """
    number = re.sub(r":\d+", "", number, count=1)
    if any(domain in number for domain in _DOMAINS):
        return number
    number = re.sub(r"[\s+()]", "", number).split(":")[0].split("@")[0]
    # Old groups are named by their founder's number and a time, joined by a hyphen.
    if "-" in number and len(number) >= 24:
        return re.sub(r"[^\d-]", "", number) + "@g.us"
    digits = re.sub(r"\D", "", number, flags=re.ASCII)
    # No phone number is that long, so it must be a group.
    if len(digits) >= 18:
        return f"{digits}@g.us"
    return _national(digits) + USER_SUFFIX


def _national(digits: str) -> str:
    # Mexico and Argentina put a digit before mobile numbers, which WhatsApp leaves out.
    if digits[:2] in ("52", "54") and len(digits) == 13:
        return digits[:2] + digits[3:]
    brazil = _BRAZIL_13.match(digits)
    if brazil is None:
        return digits
    area, subscriber = brazil.groups()
    # Only mobiles in area codes from 31 lose their ninth digit (`facts/semantics.md` §5).
    if int(subscriber[0]) < 7 or int(area) < 31:
        return digits
    return f"55{area}{subscriber}"


def variants(number: str) -> tuple[str, str] | None:
    """List the two spellings of a Brazilian, Mexican or Argentinian mobile, the longer first.

    Works on the text as given, without cleaning: that is what the server does, and why a
    formatted number can miss its variant.
    """
    for country, digit, at in (("55", "9", 4), ("52", "1", 2), ("54", "9", 2)):
        if number.startswith(country):
            has_digit = number[at : at + 1] == digit and len(number) == 13
            longer = number if has_digit else f"{number[:at]}{digit}{number[at:]}"
            shorter = number if len(number) == 12 else number[:at] + number[at + 1 :]
            return longer, shorter
    return None


def jid_options(jid: str) -> list[str]:
    """List every spelling under which the on-WhatsApp cache files a JID."""
    jid = jid.removeprefix("+")
    number, _, domain = jid.partition("@")
    if domain in ("lid", "g.us"):
        return [jid]
    both = variants(number)
    if both is None:
        # The real server repeats the domain here, so that other countries never hit its cache.
        return [f"{jid}@{domain}"]
    return [f"{spelling}@{domain}" for spelling in both]
