"""Words for a wait that was in vain: why no code came, why an instance did not open. Pure."""

from __future__ import annotations

from evolution_sdk.models.instance import ConnectionState, ConnectResult, QrCode

__all__ = ["NotYet", "no_code", "not_there"]

_NONE_YET = (
    "The server has no code ({'count': 0}): it gets none from WhatsApp. Look at its log. Can it "
    "reach the internet, or its proxy? Is CONFIG_SESSION_PHONE_VERSION in its environment a "
    "version that WhatsApp still takes? Then call instances.restart and ask again."
)
_NO_CHANNEL = (
    "The server answers without any code: only WHATSAPP-BAILEYS instances are linked by one; "
    "other channels are open from the start, unless they were logged out."
)
_SOME = (
    "The server made {count} codes and has none now. A code is valid for 45 seconds, and after "
    "QRCODE_LIMIT of them (30) it gives up: call instances.connect to begin anew."
)
_NOT_SCANNED = (
    "Nobody has scanned a code. One is valid for 45 seconds: show the next one "
    "(instances.wait_for_qr), and wait again."
)
_GAVE_UP = (
    "It is not connecting: after QRCODE_LIMIT codes (30) that nobody scanned, or a logout, it has "
    "to be begun anew (instances.wait_for_qr)."
)


class NotYet(str):
    """The answer of a question that has to be asked again: what was seen instead, in words."""

    __slots__ = ()


def no_code(result: QrCode) -> NotYet:
    """Explain an answer of ``connect`` without a code.

    Args:
        result: The answer. Source of what each means: `facts/observed.md` "2xx that are not
            successes" 3 and `facts/semantics.md` §4.

    Returns:
        Why there may be none, and what to do.
    """
    if result.count:
        return NotYet(_SOME.format(count=result.count))
    if result.count is None and isinstance(result, ConnectResult):
        return NotYet(_NO_CHANNEL)
    return NotYet(_NONE_YET)


def not_there(wanted: str, seen: ConnectionState) -> NotYet:
    """Explain a state that is not the one that is waited for.

    Args:
        wanted: The state that is waited for.
        seen: What the server says.

    Returns:
        What it is, and for a phone that was not linked what to do.
    """
    state = "not loaded" if seen.state is None else f"{str(seen.state)!r}"
    advice = {"connecting": _NOT_SCANNED, "close": _GAVE_UP}.get(str(seen.state), "")
    return NotYet(f"Its state is {state}. {advice if wanted == 'open' else ''}".rstrip())
