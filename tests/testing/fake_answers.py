"""Reading the kernel's answers."""

from __future__ import annotations

import json
from typing import Any

from evolution_sdk.testing.fake.reply import Reply


def body_of(reply: Reply) -> Any:
    return json.loads(reply.body)


def message_of(reply: Reply) -> Any:
    return body_of(reply)["response"]["message"]
