"""The public methods of a client by themselves: found by looking, with good arguments to spoil."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clients.request_cases import ACCOUNT_CASES, MESSAGE, MESSAGE_CASES
from clients.request_cases_bots import BOT_CASES
from clients.request_cases_chat import CHAT_CASES
from clients.request_cases_groups import GROUP_CASES, OTHER_CASES
from clients.request_cases_transports import TRANSPORT_CASES
from evolution_sdk import EvolutionClient

NUMBER = "5511987654321"
PICTURE = "https://files.example.com/picture.png"
_CASES = (
    ACCOUNT_CASES,
    MESSAGE_CASES,
    CHAT_CASES,
    GROUP_CASES,
    OTHER_CASES,
    TRANSPORT_CASES,
    BOT_CASES,
)
_BY_NAME: dict[str, Any] = {
    "number": NUMBER,
    "media": b"%PDF-1.4",
    "audio": b"OggS",
    "video": b"\x00\x00\x00\x18ftypmp42",
    "sticker": PICTURE,
    "content": "a story",
    "background_color": "#008000",
    "font": 1,
    "status_jid_list": [f"{NUMBER}@s.whatsapp.net"],
    "sent": MESSAGE,
    "name": "sales",
    "state": "open",
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "wait_ms": 20,
    "poll_ms": 10,
    "timeout_ms": 20,
}

_MORE: dict[str, dict[str, Any]] = {"webhook.sync": {"events": ["MESSAGES_UPSERT"]}}


class Method(NamedTuple):
    """One public method.

    Attributes:
        name: Such as ``messages.send_text``.
        good: Arguments by name with which it works, as far as the fake has what is asked for.
        names: All its arguments, the options among them.
    """

    name: str
    good: dict[str, Any]
    names: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def of(self, client: Any) -> Callable[..., Any]:
        """The method itself."""
        found = client
        for part in self.name.split("."):
            found = getattr(found, part)
        return typing.cast("Callable[..., Any]", found)


class _Recorder:
    """Stands for a client; notes which method a case calls, and with what."""

    def __init__(self, path: str, calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]]) -> None:
        self._path, self._calls = path, calls

    def __getattr__(self, name: str) -> _Recorder:
        return _Recorder(f"{self._path}.{name}".lstrip("."), self._calls)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._path == "instance":  # a handle has the same families
            return _Recorder("", self._calls)
        self._calls.setdefault(self._path, (args, kwargs))
        return iter(())


def _known_calls() -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
    for table in _CASES:
        for call, *_ in table.values():
            call(_Recorder("", calls))
    return calls


def methods() -> list[Method]:
    """Every public method of every family, and those of the client itself."""
    client = EvolutionClient("http://localhost", "key", instance="sales")
    known = _known_calls()
    found: list[Method] = []
    for family in sorted(name for name in dir(client) if not name.startswith("_")):
        api = getattr(client, family)
        if type(api).__module__.startswith("evolution_sdk._sync.resources"):
            for name, function in _public(api):
                found.append(_method(f"{family}.{name}", function, known))
    return found


def _public(api: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, function in inspect.getmembers(api, inspect.ismethod):
        if not name.startswith("_"):
            yield name, function


def _method(
    name: str,
    function: Callable[..., Any],
    known: dict[str, tuple[tuple[Any, ...], dict[str, Any]]],
) -> Method:
    signature = inspect.signature(function)
    args, kwargs = known.get(name, ((), {}))
    good = dict(signature.bind_partial(*args, **kwargs).arguments)
    good.update(good.pop("options", {}))
    good.update(_MORE.get(name, {}))
    names: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            names += _options(function, parameter.annotation)
            continue
        names.append(parameter.name)
        wanted = parameter.default is parameter.empty or parameter.name in ("wait_ms", "poll_ms")
        if wanted or parameter.name == "timeout_ms":
            good.setdefault(parameter.name, _BY_NAME.get(parameter.name, "x"))
    return Method(name, good, tuple(names))


def _options(function: Callable[..., Any], annotation: Any) -> list[str]:
    space = inspect.unwrap(getattr(function, "__func__", function)).__globals__
    kind = eval(annotation, space) if isinstance(annotation, str) else annotation
    return list(typing.get_type_hints(typing.get_args(kind)[0]))
