"""Proofs that a request is from the server: four, each optional; all that are configured must hold.

Facts: the server signs no body. It offers a token of ``jwt_key``, made **once per event** and valid
for 600 s while it may try for about 20 minutes (2.2.3: the key itself, as a header); headers of our
choice; and the instance's token in the body (`facts/events.json` "webhook_delivery.jwt",
`facts/observed.md` "Webhooks").
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.server_address import is_same_server
from evolution_sdk._common.arguments import checked_call
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models.webhook import JWT_KEY_RULE, SHORTEST_JWT_KEY_BYTES

from .responses import Answer

DEFAULT_LEEWAY_MS = 3_600_000
_MOST_TOKEN = 4_096


@dataclass(frozen=True, slots=True)
class Verification:
    """The proofs that a request must give; without any, everybody is trusted.

    Attributes:
        jwt_keys: Any of these may have signed the token.
        leeway_ms: Time for which an expired token is still taken, in milliseconds.
        secrets: Header names (lower case) and the values that each may have.
        apikeys: Values that ``apikey`` in the body may have.
        server_url: Value that ``server_url`` in the body must have.
    """

    jwt_keys: tuple[bytes, ...] = field(default=(), repr=False)
    leeway_ms: float = DEFAULT_LEEWAY_MS
    secrets: Mapping[str, tuple[bytes, ...]] = field(
        default_factory=dict[str, tuple[bytes, ...]], repr=False
    )
    apikeys: tuple[bytes, ...] = field(default=(), repr=False)
    server_url: str | None = None

    @property
    def proves(self) -> bool:
        """True if a request that passes is surely the server's: its sender knows a secret."""
        return bool(self.jwt_keys or self.secrets or self.apikeys)

    @classmethod
    def made(
        cls,
        *,
        jwt_key: str | Iterable[str] | None,
        jwt_leeway_ms: float,
        secret_headers: Mapping[str, str | Iterable[str]] | None,
        apikeys: str | Iterable[str] | None,
        server_url: str | None,
    ) -> Verification:
        """Make one from a receiver's options.

        Raises:
            ConfigurationError: A secret is empty.
        """
        secrets = secret_headers or {}
        return cls(
            () if jwt_key is None else signing_keys(jwt_key),
            jwt_leeway_ms,
            {name.lower(): secret_values("secret_headers", one) for name, one in secrets.items()},
            () if apikeys is None else secret_values("apikeys", apikeys),
            server_url,
        )

    def of_headers(self, headers: Mapping[str, str], now: float) -> Answer | None:
        """Judge everything that can be judged before the body is read.

        Args:
            headers: Names in lower case.
            now: Seconds since 1970.

        Returns:
            The reason to refuse the request, or None.
        """
        if self.jwt_keys and not self._proven(headers, now):
            return Answer.SIGNATURE
        for name, values in self.secrets.items():
            if not _is_one_of(headers.get(name), values):
                return Answer.SECRET
        return None

    def of_body(self, raw: Mapping[str, Any]) -> Answer | None:
        """Judge the body.

        Args:
            raw: The envelope.

        Returns:
            The reason to refuse the request, or None.
        """
        if self.apikeys and not _is_one_of(raw.get("apikey"), self.apikeys):
            return Answer.APIKEY
        ours = self.server_url
        if ours is not None and not is_same_server(raw.get("server_url"), ours):
            return Answer.SERVER_URL
        return None

    def _proven(self, headers: Mapping[str, str], now: float) -> bool:
        if self._signed(headers.get("authorization", ""), now):
            return True
        # 2.2.3 makes no token: it sends the key itself (`facts/versions/versions.md` §4). WSGI
        # cannot tell the underscore from a dash.
        return _is_one_of(headers.get("jwt_key", headers.get("jwt-key")), self.jwt_keys)

    def _signed(self, authorization: str, now: float) -> bool:
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":
            return False
        claims = read_token(token.strip(), self.jwt_keys)
        if claims is None or claims.get("app") != "evolution" or claims.get("action") != "webhook":
            return False
        end = claims.get("exp")
        if isinstance(end, bool) or not isinstance(end, int | float):
            return False
        return now - self.leeway_ms / 1_000 <= end  # an int of any size can be compared, not added


def read_token(token: str, keys: Iterable[bytes]) -> Mapping[str, Any] | None:
    """Check a token's HS256 signature and read it; no other algorithm is taken, and never ``none``.

    Args:
        token: Three parts with dots between them.
        keys: Any of these may have signed it; each is compared in constant time.

    Returns:
        Its claims, or None when anything about it is wrong.
    """
    # Looked at before any work is done for a stranger's text.
    if len(token) > _MOST_TOKEN or not token.isascii() or token.count(".") != 2:
        return None
    signed, _, signature = token.rpartition(".")
    head, _, payload = signed.partition(".")
    header, claims, given = _object(head), _object(payload), _unpacked(signature)
    # The header of a forged token may name any algorithm; only ours counts.
    if header is None or header.get("alg") != "HS256" or claims is None or given is None:
        return None
    right = False
    for key in keys:
        # All keys are tried, so that the time does not tell which one is right.
        made = hmac.digest(key, signed.encode(), hashlib.sha256)
        right |= hmac.compare_digest(made, given)
    return claims if right else None


@checked_call()
def sign_token(key: str, now: float, lifetime_s: int = 600) -> str:
    """Make the token that the server would make, for tests and for senders of your own.

    Args:
        key: The ``jwt_key``.
        now: Seconds since 1970.
        lifetime_s: Time for which it is valid, in seconds.

    Returns:
        The token, to be sent as ``Authorization: Bearer …``.
    """
    claims = {
        "iat": int(now),
        "exp": int(now) + lifetime_s,
        "app": "evolution",
        "action": "webhook",
    }
    parts = [
        _packed(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    ]
    signed = ".".join(parts)
    secret = key.encode("utf-8", "surrogatepass")
    return f"{signed}.{_packed(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def signing_keys(values: str | Iterable[str]) -> tuple[bytes, ...]:
    """Return the keys that may have signed a token, as bytes.

    Raises:
        ConfigurationError: There is none, or one is so short that it can be guessed.
    """
    keys = secret_values("jwt_key", values)
    if any(len(key) < SHORTEST_JWT_KEY_BYTES for key in keys):
        raise ConfigurationError(f"jwt_key {JWT_KEY_RULE}", variable="jwt_key")
    return keys


def secret_values(name: str, values: str | Iterable[str]) -> tuple[bytes, ...]:
    """Return one secret, or several while it is being changed, as bytes.

    Raises:
        ConfigurationError: There is none, one is empty, so that everybody would pass, or one is no
            text.
    """
    found: tuple[object, ...] = (values,)
    if not isinstance(values, str) and isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
        found = tuple(values)
    if not all(isinstance(value, str) for value in found):
        raise ConfigurationError(f"{name} must be text, or several texts.", variable=name)
    if not found or not all(found):
        raise ConfigurationError(f"{name} must not be empty.", variable=name)
    return tuple(str(value).encode("utf-8", "surrogatepass") for value in found)


def _is_one_of(value: object, wanted: tuple[bytes, ...]) -> bool:
    if not isinstance(value, str):
        return False
    given = value.encode("utf-8", "surrogatepass")
    right = False
    # All are compared, so that the time does not tell which one is right.
    for one in wanted:
        right |= hmac.compare_digest(given, one)
    return right


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes | None:
    try:
        # Strictly: lenient decoding takes many spellings for one signature.
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        # As text: of bytes json would first guess the encoding.
        found = json.loads((_unpacked(text) or b"").decode())
    except (ValueError, RecursionError):
        return None
    return found if is_object(found) else None
