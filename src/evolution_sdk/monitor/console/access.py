"""Rights to see the console and to act: tokens, sessions, and a bound on wrong guesses."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Literal, TypeAlias

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk.errors import ConfigurationError

__all__ = ["COOKIE", "SESSION_S", "Access", "AccessCheck", "Level", "Sessions", "Throttle"]

Level: TypeAlias = Literal["view", "act"]
Scope: TypeAlias = MutableMapping[str, Any]
AccessCheck: TypeAlias = Callable[[Scope], "Level | Awaitable[Level | None] | None"]

COOKIE: Final = "evolution_console"
SESSION_S: Final = 43_200.0
"""Length of a session, in seconds: 12 hours."""

_LEAST_TOKEN: Final = 16
_MOST_FAILURES: Final = 5
_FAILURES_S: Final = 60.0
_MOST_ADDRESSES: Final = 10_000
_BEARER: Final = "bearer "
_PURPOSE: Final = b"evolution-console-session-1"


class Sessions:
    """Makes and checks the values of cookies, which hold no token.

    They are signed by a key made of the token: another token ends them all, a restart none.

    Args:
        token: The token.
        wall: Unix seconds.
    """

    def __init__(self, token: str, wall: Callable[[], float]) -> None:
        self._key = hmac.new(token.encode(), _PURPOSE, hashlib.sha256).digest()
        self._wall = wall

    def make(self) -> str:
        """Return the value of a new cookie."""
        text = f"{int(self._wall() + SESSION_S)}.{secrets.token_urlsafe(12)}"
        return f"{text}.{self._sign(text)}"

    def is_valid(self, value: str) -> bool:
        """Tell if a cookie was made here and is not too old."""
        text, _, signature = value.rpartition(".")
        until = text.partition(".")[0]
        if not text or not hmac.compare_digest(signature.encode(), self._sign(text).encode()):
            return False
        return until.isascii() and until.isdigit() and int(until) > self._wall()

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


class Throttle:
    """Bounds the wrong guesses of each address: five in a minute.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: BoundedDict[str, list[float]] = BoundedDict(_MOST_ADDRESSES)

    def left_s(self, address: str) -> float:
        """Return the time until the address may guess again, in seconds; 0 if it may now."""
        failures = self._recent(address)
        if len(failures) < _MOST_FAILURES:
            return 0.0
        return max(0.0, failures[-_MOST_FAILURES] + _FAILURES_S - self._clock())

    def failed(self, address: str) -> None:
        """Count a wrong guess."""
        self._failures[address] = [*self._recent(address)[-_MOST_FAILURES:], self._clock()]

    def _recent(self, address: str) -> list[float]:
        now = self._clock()
        return [at for at in self._failures.get(address, ()) if at > now - _FAILURES_S]


class Access:
    """Decides what a request may do.

    Args:
        token: The token that opens everything; None where a callable decides.
        check: Takes the scope, and returns ``view``, ``act`` or None; may be async.
        clock: Seconds that never go back.
        wall: Unix seconds.

    Raises:
        ConfigurationError: There is neither, both are given, or the token is too short.
    """

    def __init__(
        self,
        token: str | None,
        check: AccessCheck | None,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        if (token is None) == (check is None):
            raise ConfigurationError(
                "The console needs a token or an access callable, and not both: give "
                "EvolutionConsole(monitor, token=…), or set EVOLUTION_CONSOLE_TOKEN.",
                variable="EVOLUTION_CONSOLE_TOKEN",
            )
        if token is not None and len(token) < _LEAST_TOKEN:
            raise ConfigurationError(
                f"The console's token must have {_LEAST_TOKEN} characters or more: make one with "
                "python -c 'import secrets; print(secrets.token_urlsafe(24))'.",
                variable="EVOLUTION_CONSOLE_TOKEN",
            )
        self._token = None if token is None else token.encode()
        self._check = check
        self.sessions: Sessions | None = None if token is None else Sessions(token, wall)
        self.throttle: Throttle = Throttle(clock)

    @property
    def has_login(self) -> bool:
        """True if a token opens a session."""
        return self._token is not None

    async def level(self, scope: Scope) -> Level | None:
        """Return what a request may do; None for nothing.

        Args:
            scope: Its ASGI scope.
        """
        if self._check is not None:
            found = self._check(scope)
            if inspect.isawaitable(found):
                found = await found
            # Only these words open anything: True, 1 or "admin" are a mistake of the callable.
            return found if found in ("view", "act") else None
        headers = headers_of(scope)
        bearer = headers.get("authorization", "")
        if bearer.lower().startswith(_BEARER):
            return "act" if self.opens(bearer[len(_BEARER) :].strip(), address_of(scope)) else None
        cookie = cookie_of(headers.get("cookie", ""))
        if cookie and self.sessions is not None and self.sessions.is_valid(cookie):
            return "act"
        return None

    def opens(self, token: str, address: str) -> bool:
        """Tell if a token is right, and count it for the address where it is not.

        Args:
            token: The token.
            address: Address of whoever gave it.
        """
        if self._token is None or self.throttle.left_s(address) > 0:
            return False
        if hmac.compare_digest(token.encode("utf-8", "replace"), self._token):
            return True
        self.throttle.failed(address)
        return False


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of a request; of several with one name, the last."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in scope.get("headers") or ()
    }


def address_of(scope: Scope) -> str:
    """Return the address of whoever asks, as the server tells it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def cookie_of(header: str) -> str:
    """Return the value of the session's cookie; empty without one."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""
