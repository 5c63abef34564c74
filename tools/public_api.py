"""Write api/public.txt: every public name with its signature; with --check, compare.

A change of the public surface is then a change of a file that a review sees. What counts is what
``__all__`` of the package and of its public subpackages names.
"""

from __future__ import annotations

import difflib
import enum
import functools
import importlib
import inspect
import operator
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pydantic

import evolution_sdk
from evolution_sdk._base.pending_calls import TrackedMethod

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "api" / "public.txt"
PACKAGE = "evolution_sdk"
_PLAIN = (str, int, float, bool, tuple, type)
PUBLIC = (
    "archive",
    "config",
    "errors",
    "events",
    "identity",
    "media",
    "models",
    "monitor",
    "monitor.cli",
    "monitor.export",
    "resilience",
    "retry",
    "streams",
    "testing",
    "transport",
    "webhooks",
)


@functools.cache
def public_classes() -> dict[type, str]:
    """Every public class of a subpackage, and the module that describes it."""
    modules = [importlib.import_module(f"{PACKAGE}.{part}") for part in PUBLIC]
    return {
        value: module.__name__
        for module in reversed(modules)
        for value in (getattr(module, name) for name in module.__all__)
        if isinstance(value, type)
    }


def lines() -> list[str]:
    """The whole public surface, one name per line, sorted within each part."""
    found: list[str] = []
    for name in (PACKAGE, *(f"{PACKAGE}.{part}" for part in PUBLIC)):
        module = importlib.import_module(name)
        found += ["", f"# {name}"]
        for public in sorted(module.__all__):
            found.extend(_described(public, getattr(module, public), name))
    for client in (evolution_sdk.EvolutionClient, evolution_sdk.AsyncEvolutionClient):
        found += ["", f"# families of {client.__name__}", *_families(client)]
    return found[1:]


def _families(client: type[Any]) -> Iterator[str]:
    """The methods that hang on a client, as one writes them: ``messages.send_text``."""
    made = client("http://localhost", "key")
    for name in sorted(name for name in dir(made) if not name.startswith("_")):
        family = type(getattr(made, name))
        if ".resources." in family.__module__:
            for member, defined in sorted(_members(family).items()):
                yield from (line.strip() for line in _member(f"{name}.{member}", defined))


def _described(name: str, value: Any, module: str) -> Iterator[str]:
    if isinstance(value, type):
        home = public_classes().get(value, module)
        yield from _class(name, value) if home == module else [f"{name}: see {home}"]
    elif inspect.isroutine(value):
        yield f"{name}{_signature(value)}"
    elif typing.get_origin(value) is not None or isinstance(value, types.UnionType):
        yield f"{name} = {_plain(repr(value))}"
    else:
        yield f"{name}: {type(value).__name__}"


def _class(name: str, value: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    if issubclass(value, enum.Enum):
        yield f"{name}({bases})"
        for item in value:
            yield f"    {item.name} = {item.value!r}"
        return
    yield f"{name}({bases})" if bases else name
    if issubclass(value, pydantic.BaseModel):
        for field, info in sorted(value.model_fields.items()):
            optional = "" if info.is_required() else " = ..."
            kind = inspect.formatannotation(_without_rules(info.annotation))
            yield f"    {field}: {_plain(kind)}{optional}"
    elif typing.is_typeddict(value):
        for field, kind in sorted(value.__annotations__.items()):
            yield f"    {field}: {_plain(getattr(kind, '__forward_arg__', None) or repr(kind))}"
    elif getattr(value.__dict__.get("__init__"), "__module__", "").startswith(PACKAGE):
        yield f"    __init__{_signature(value)}"
    for member, defined in sorted(_members(value).items()):
        yield from _member(member, defined)


def _without_rules(annotation: Any) -> Any:
    """A type without the rules of its Annotated parts, at any depth."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _without_rules(typing.get_args(annotation)[0])
    parts = tuple(map(_without_rules, typing.get_args(annotation)))
    made = typing.get_origin(annotation)
    # Written with bars, as Python 3.14 shows both.
    if made is typing.Union or isinstance(annotation, types.UnionType):
        return functools.reduce(operator.or_, parts)
    if made is None or made is typing.Literal or not hasattr(annotation, "copy_with"):
        return annotation if made is None or made is typing.Literal else made[parts]
    return annotation.copy_with(parts)


def _members(value: type) -> dict[str, Any]:
    """Public members of our own; those of another public class are listed there."""
    found: dict[str, Any] = {}
    for owner in reversed(value.__mro__):
        ours = owner.__module__.startswith(PACKAGE)
        if ours and (owner is value or owner not in public_classes()):
            found.update(owner.__dict__)
    return {name: member for name, member in found.items() if not name.startswith("_")}


def _member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, property | cached_property):
        getter = member.func if isinstance(member, cached_property) else member.fget
        returned = inspect.signature(getter).return_annotation if getter else Any
        yield f"    {name} -> {_plain(inspect.formatannotation(_bare(returned)))}"
    elif isinstance(member, classmethod | staticmethod):
        yield f"    {name}{_signature(member.__func__)}"
    elif inspect.isfunction(member) or isinstance(member, TrackedMethod):
        member = getattr(member, "__wrapped__", member)
        prefix = "async " if inspect.iscoroutinefunction(member) else ""
        yield f"    {prefix}{name}{_signature(member)}"


class _Bare(str):
    """An annotation written as text, shown without its quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _bare(annotation: Any) -> Any:
    return _Bare(annotation.strip("\"'")) if isinstance(annotation, str) else annotation


def _signature(value: Callable[..., Any]) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return "(...)"
    parameters = [
        p.replace(default=_default(p.default), annotation=_bare(p.annotation))
        for p in signature.parameters.values()
    ]
    returned = _bare(signature.return_annotation)
    return _plain(str(signature.replace(parameters=parameters, return_annotation=returned)))


def _default(default: Any) -> Any:
    """The default where it reads the same on every machine."""
    if isinstance(default, enum.Enum):
        return _Bare(f"{type(default).__name__}.{default.name}")
    plain = default is None or isinstance(default, _PLAIN)
    if isinstance(default, tuple):
        plain = all(isinstance(item, _PLAIN) for item in default)
    return default if plain else _Bare("...")


def _plain(text: str) -> str:
    """Class names without their modules, which change when a file moves."""
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=_?[A-Z])", "", text)
    return re.sub(r"^Optional\[(.*)\]$", r"\1 | None", text)


def main() -> int:
    """Write, or check."""
    made = "\n".join(lines()) + "\n"
    if "--check" not in sys.argv[1:]:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(made, "utf-8")
        print(f"{len(made.splitlines())} lines in {TARGET.relative_to(ROOT)}")
        return 0
    present = TARGET.read_text("utf-8") if TARGET.is_file() else ""
    difference = difflib.unified_diff(
        present.splitlines(), made.splitlines(), "api/public.txt", "the package", lineterm="", n=0
    )
    problems = list(difference)
    print("\n".join(problems) or "api/public.txt is up to date")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
