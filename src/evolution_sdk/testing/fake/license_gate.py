"""The license gate of 2.4.0 and newer, closed until the server is activated.

Recorded: `facts/versions/versions.md` §5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .js import JsonObject

_PUBLIC: Final = ("/license/", "/manager", "/assets", "/store")
# These pass the gate, although no such routes exist behind it.
_PASSED: Final = frozenset({"/", "/health", "/server/ok", "/ws", "/favicon.ico"})
_DOCS: Final = "https://docs.evolutionfoundation.com.br/licensing"
INSTANCE_ID: Final = "46574c01-323a-4663-ba30-303a30303a30"
"""The server's own id, which its maker knows it by."""


def refuses(target: str) -> bool:
    """Tell if the gate holds a request back.

    Args:
        target: Its path with query.
    """
    path = target.partition("?")[0] or "/"
    return path not in _PASSED and not path.startswith(_PUBLIC)


def refusal(headers: Mapping[str, str]) -> JsonObject:
    """Make the body of the gate's 503, with URLs made from the request's own host.

    Args:
        headers: The request's, with lower-case names.
    """
    scheme = headers.get("x-forwarded-proto", "http")
    page = f"{scheme}://{headers.get('host', '127.0.0.1')}/manager/login"
    return {
        "error": "service not activated",
        "code": "LICENSE_REQUIRED",
        "register_url": page,
        "instance_id": INSTANCE_ID,
        "docs_url": _DOCS,
        "message": (
            f"This Evolution API instance is not activated. Open {page} to activate, or set "
            "AUTHENTICATION_API_KEY in your .env with a valid licensing key. "
            f"Docs: {_DOCS}"
        ),
    }
