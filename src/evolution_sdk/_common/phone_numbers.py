"""The public switch of how phone numbers are shown."""

from __future__ import annotations

from evolution_sdk._base.redact import set_phone_numbers_shown
from evolution_sdk.errors import ConfigurationError

__all__ = ["show_phone_numbers"]


def show_phone_numbers(shown: bool = True) -> None:
    """Show phone numbers whole in reprs, error texts and logs of this process, or masked again.

    They are masked unless this was called: logs are kept, copied and read by many. Fields such as
    ``PhoneNumber.e164`` and ``str(jid)`` are always whole.

    Args:
        shown: True for whole numbers; False masks their middle digits, as at first.

    Raises:
        ConfigurationError: ``shown`` is not a bool.
    """
    if not isinstance(shown, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError("shown: must be True or False", variable="shown")
    set_phone_numbers_shown(shown)
