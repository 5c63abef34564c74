"""The server itself (group ``root`` of the route table)."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.readers import text
from evolution_sdk.models.server import (
    Credentials,
    License,
    LicenseActivation,
    LicenseRegistration,
    ServerInfo,
)
from evolution_sdk.operations.error_facts import ErrorFacts

from ._declare import Family

# The server asks its maker's licence service, over the internet.
_MAKER_MS = 30_000

_root = Family("root", session=False)

GET_INFORMATION = _root(
    "get_information",
    "GET",
    "/",
    Effect.READ,
    ServerInfo.from_wire,
    auth="none",
    since="1.0",
    called_as="server.info",
    teaches_version=True,
)
GET_METRICS = _root(
    "get_metrics",
    "GET",
    "/metrics",
    Effect.READ,
    text,
    auth="none",
    content="text",
    since="2.3",
    called_as="server.metrics",
    errors=ErrorFacts(plain_text=True),
)
VERIFY_CREDENTIALS = _root(
    "verify_credentials",
    "POST",
    "/verify-creds",
    Effect.READ,
    Credentials.from_wire,
    auth="global",
    called_as="server.verify_creds",
)

_license = Family("license", session=False, since="2.4", errors=ErrorFacts(asks_maker=True))

# These three answer without a key, and before the server is activated.
LICENSE_STATUS = _license(
    "status",
    "GET",
    "/license/status",
    Effect.READ,
    License.from_wire,
    auth="none",
    licensing=True,
)
# Asks the maker for an address once, and then repeats it.
LICENSE_REGISTER = _license(
    "register",
    "GET",
    "/license/register",
    Effect.IDEMPOTENT,
    LicenseRegistration.from_wire,
    auth="none",
    query=("redirect_uri",),
    licensing=True,
    patience_ms=_MAKER_MS,
    slow=True,
)
# A code counts once: a repeat after a success says that it is active.
LICENSE_ACTIVATE = _license(
    "activate",
    "GET",
    "/license/activate",
    Effect.IDEMPOTENT,
    LicenseActivation.from_wire,
    auth="none",
    query=("code",),
    licensing=True,
    patience_ms=_MAKER_MS,
    slow=True,
)
