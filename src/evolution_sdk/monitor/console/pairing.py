"""Codes that link a phone. Each is a key to an account: only those who may act are shown it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final, cast

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models.qr_drawing import as_png

__all__ = ["Pairings"]

_MOST: Final = 200
_LASTS_S: Final = 60.0
_LONGEST_IMAGE: Final = 200_000
_PNG: Final = "data:image/png;base64,"


class Pairings:
    """Keeps the newest code of each instance until its phone is linked.

    Attributes:
        version: A number that changes with the codes.
    """

    def __init__(self) -> None:
        self.version: int = 0
        self._lock = free_in_child(Lock())
        self._codes: BoundedDict[str, dict[str, Any]] = BoundedDict(_MOST)

    def shown(self, instance: str, code: Any, at: float) -> dict[str, Any] | None:
        """Take in a code that the server gave.

        Args:
            instance: The instance.
            code: Has ``code``, ``base64`` and ``pairing_code``.
            at: Unix seconds.

        Returns:
            What is shown of it; None where the server has none (yet).
        """
        image = _image(getattr(code, "base64", None), getattr(code, "code", None))
        typed = getattr(code, "pairing_code", None)
        if image is None and not typed:
            return None
        made: dict[str, Any] = {
            "at": round(at, 1),
            "image": image,
            "code": typed if isinstance(typed, str) and typed else None,
            "expires_at": round(at + _LASTS_S, 1),
        }
        with self._lock:
            self._codes[instance] = made
            self.version += 1
        return made

    def told(self, instance: str, data: Mapping[str, Any], at: float) -> None:
        """Take in the event ``qrcode.updated``.

        Args:
            instance: The instance.
            data: Its data, as the server wrote it.
            at: Unix seconds.
        """
        found = data.get("qrcode")
        if isinstance(found, Mapping):
            self.shown(instance, _Told(cast("Mapping[str, Any]", found)), at)

    def linked(self, instance: str) -> None:
        """Forget the code of an instance."""
        if instance in self._codes:
            with self._lock:
                self._codes.pop(instance, None)
                self.version += 1

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return the codes by instance."""
        with self._lock:
            return dict(self._codes)

    def __contains__(self, instance: str) -> bool:
        return instance in self._codes


class _Told:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self.base64 = data.get("base64")
        self.code = data.get("code")
        self.pairing_code = data.get("pairingCode")


def _image(base64: object, code: object) -> str | None:
    """Return the code as an image; drawn here where the server gave its text only."""
    if isinstance(base64, str) and base64.startswith(_PNG) and len(base64) <= _LONGEST_IMAGE:
        return base64
    if not isinstance(code, str) or not code:
        return None
    try:
        drawn = as_png(code, None)
    except ConfigurationError:
        return None  # segno is missing
    return f"{_PNG}{b64encode(drawn).decode()}"
