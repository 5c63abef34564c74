"""The control routes: one table, of which the listing, the checks, the page and the client come.

A row names a member of :class:`FakeEvolution`. What the route takes and says is what the member's
signature and docstring say.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final, NamedTuple

from evolution_sdk._common.rules import Rule, named_rule
from evolution_sdk.testing.fake.clock import FakeClock
from evolution_sdk.testing.fake.delivery.posting import FakeWebhooks
from evolution_sdk.testing.fake.faults import Faults

PREFIX: Final = "/_fake"

_NOT_IN_JSON: Final = frozenset({"to"})
"""Arguments that are Python objects."""


_WORDS: Final = {"True or False": "true or false", "a mapping": "an object"}


class Field(NamedTuple):
    """One value that a route takes.

    Attributes:
        name: Its name in JSON.
        argument: Its name in Python.
        rule: Its rule.
        default: What it is where it is not given; ``Parameter.empty`` where it must be.
        in_path: Whether it stands in the path.
        several: Whether a list of it is given.
        binary: Whether it is a file, as base64.
    """

    name: str
    argument: str
    rule: Rule
    default: Any
    in_path: bool
    several: bool
    binary: bool

    @property
    def required(self) -> bool:
        """True where it must be given."""
        return self.several or self.default is inspect.Parameter.empty

    @property
    def wants(self) -> str:
        """Completes "must be", in the words of JSON."""
        if self.binary:
            return "base64"
        words = self.rule.wants
        for python, json in _WORDS.items():
            words = words.replace(python, json)
        return f"a list of {words}" if self.several else words


@dataclass(frozen=True)
class ControlRoute:
    """One route.

    Attributes:
        method: HTTP verb.
        path: Its path behind the prefix, with ``{…}`` for arguments of the member.
        member: The member of :class:`FakeEvolution`, such as ``receive_text`` or ``faults.add``.
        fake: That class.
    """

    method: str
    path: str
    member: str
    fake: type[Any]

    @property
    def full_path(self) -> str:
        """The whole path."""
        return PREFIX + self.path

    @cached_property
    def is_read(self) -> bool:
        """True where the member is an attribute, and takes nothing."""
        return isinstance(inspect.getattr_static(*self._place), property)

    @cached_property
    def summary(self) -> str:
        """The first line of the member's docstring."""
        found = inspect.getattr_static(*self._place)
        text = inspect.getdoc(found.fget if isinstance(found, property) else found) or ""
        return text.splitlines()[0]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Fields that it takes: the arguments of the member."""
        if self.is_read:
            return ()
        function = inspect.unwrap(getattr(*self._place))
        hints = typing.get_type_hints(function)
        return tuple(
            _field(parameter, hints[name], in_path=f"{{{name}}}" in self.path)
            for name, parameter in inspect.signature(function).parameters.items()
            if name != "self" and name not in _NOT_IN_JSON
        )

    @property
    def _place(self) -> tuple[type[Any], str]:
        owner, _, name = self.member.rpartition(".")
        return _PARTS.get(owner, self.fake), name


def _field(parameter: inspect.Parameter, hint: Any, *, in_path: bool) -> Field:
    several = parameter.kind is parameter.VAR_POSITIONAL
    return Field(
        # `from` is a word of Python's.
        name=parameter.name.rstrip("_"),
        argument=parameter.name,
        rule=named_rule(parameter.name, hint),
        default=parameter.default,
        in_path=in_path,
        several=several,
        binary=bytes in typing.get_args(hint),
    )


_PARTS: Final[Mapping[str, type[Any]]] = {
    "clock": FakeClock,
    "faults": Faults,
    "webhooks": FakeWebhooks,
}

_ROWS: Final = (
    ("GET", "/instances", "instances"),
    ("POST", "/instances", "create_instance"),
    ("POST", "/instances/{name}/scan-qr", "scan_qr"),
    ("POST", "/instances/{name}/state", "set_state"),
    ("POST", "/instances/{name}/log-out", "log_out"),
    ("POST", "/instances/{instance}/receive-text", "receive_text"),
    ("POST", "/instances/{instance}/receive", "receive"),
    ("POST", "/instances/{instance}/vote", "vote"),
    ("POST", "/instances/{instance}/choose", "choose"),
    ("POST", "/instances/{instance}/react", "react"),
    ("POST", "/instances/{instance}/edit", "edit"),
    ("POST", "/instances/{instance}/revoke", "revoke"),
    ("POST", "/instances/{instance}/history", "sync_history"),
    ("POST", "/instances/{instance}/presence", "presence"),
    ("POST", "/instances/{instance}/call", "call"),
    ("POST", "/instances/{instance}/contacts", "add_contact"),
    ("POST", "/status", "deliver"),
    ("POST", "/statuses/advance", "advance"),
    ("POST", "/instances/{instance}/refuse-delivery", "refuse_delivery"),
    ("POST", "/not-on-whatsapp", "not_on_whatsapp"),
    ("POST", "/whatsapp", "set_whatsapp_reachable"),
    ("POST", "/profiles", "set_profile"),
    ("GET", "/sent", "sent"),
    ("GET", "/requests", "requests"),
    ("GET", "/events", "events"),
    ("GET", "/deliveries", "deliveries"),
    ("POST", "/deliveries", "webhooks.deliver"),
    ("GET", "/faults", "faults.armed"),
    ("POST", "/faults", "faults.add"),
    ("DELETE", "/faults", "faults.clear"),
    ("GET", "/clock", "clock.now_ms"),
    ("POST", "/clock/advance", "clock.advance"),
    ("POST", "/reset", "reset"),
)


@cache
def routes_of(fake: type[Any]) -> tuple[ControlRoute, ...]:
    """List every route but the listing itself, ``GET /_fake``.

    Args:
        fake: The class :class:`FakeEvolution`, which makes its own control.
    """
    return tuple(ControlRoute(*row, fake) for row in _ROWS)
