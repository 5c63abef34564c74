"""Error texts that quote the server's own code, as a minified build words them.

The Docker images are minified: their texts have other names for variables, and Prisma's name a
call that has nothing to do with the mistake, so that only their ends tell
(`facts/versions/versions.md` "What the client gets wrong today" 4).
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from .reply import Reply

_CALL: Final = b"Invalid `this.prismaRepository.integrationSession.findFirst()` invocation"
_QUOTED_CALL: Final = re.compile(rb"Invalid `[^`]*` invocation")
_OWNER: Final = re.compile(
    rb"(?:this\.waMonitor\.waInstances\[instance(?:Name|(\.instanceName))\]|\binstance)"
    rb"(?=\.\w+ is not a function)"
)
_VARIABLE: Final = re.compile(rb"\bmessage(?=\.mimetype\?\.startsWith is not)")


def _shortened(owner: re.Match[bytes]) -> bytes:
    return b"this.waMonitor.waInstances[s" + (owner[1] or b"") + b"]"


def minified(reply: Reply) -> Reply:
    """Word the error of an answer as a minified build does.

    Args:
        reply: A failure, in the words of the server's source.
    """
    body = _QUOTED_CALL.sub(_CALL, reply.body)
    body = _OWNER.sub(_shortened, body)
    return dataclasses.replace(reply, body=_VARIABLE.sub(b"t", body))
