"""Write api/public.txt: every public name with its signature; with --check, compare.

A change of the public surface is then a change of a file that a review sees. What counts is what
``__all__`` of the package and of its public subpackages names.
"""

from __future__ import annotations

import difflib
import enum
import importlib
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydantic

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "api" / "public.txt"
PACKAGE = "evolution_sdk"
PUBLIC = ("config", "errors", "identity", "media", "models", "retry", "testing", "transport")


def lines() -> list[str]:
    """The whole public surface, one name per line, sorted within each module."""
    found: list[str] = []
    for name in (PACKAGE, *(f"{PACKAGE}.{part}" for part in PUBLIC)):
        module = importlib.import_module(name)
        if found:
            found.append("")
        found.append(f"# {name}")
        for public in sorted(module.__all__):
            found.extend(_described(public, getattr(module, public), module.__name__))
    return found


def _described(name: str, value: Any, module: str) -> Iterator[str]:
    home = getattr(value, "__module__", None)
    # A name that another public module defines is described there.
    if isinstance(value, type) and module == PACKAGE and _public_home(value):
        yield f"{name}: see {_public_home(value)}"
    elif isinstance(value, type):
        yield from _class(name, value)
    elif inspect.isroutine(value):
        yield f"{name}{_signature(value)}"
    elif typing.get_origin(value) is not None or isinstance(value, types.UnionType):
        yield f"{name} = {_plain(repr(value))}"
    elif isinstance(value, str) and name == "__version__":
        yield f"{name}: str"
    else:
        yield f"{name}: {type(value).__name__}" + ("" if home is None else f" of {home}")


def _public_home(value: type) -> str | None:
    for part in PUBLIC:
        module = sys.modules.get(f"{PACKAGE}.{part}")
        if module is None:
            module = importlib.import_module(f"{PACKAGE}.{part}")
        if value.__name__ in module.__all__ and getattr(module, value.__name__) is value:
            return f"{PACKAGE}.{part}"
    return None


def _class(name: str, value: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    if issubclass(value, enum.Enum):
        yield f"{name}({bases})"
        for member in value:
            yield f"    {member.name} = {member.value!r}"
        return
    yield f"{name}({bases})" if bases else name
    if issubclass(value, pydantic.BaseModel):
        for field, info in sorted(value.model_fields.items()):
            optional = "" if info.is_required() else " = ..."
            yield f"    {field}: {_plain(inspect.formatannotation(info.annotation))}{optional}"
    elif typing.is_typeddict(value):
        for field, kind in sorted(value.__annotations__.items()):
            yield f"    {field}: {_plain(getattr(kind, '__forward_arg__', None) or repr(kind))}"
    elif "__init__" in value.__dict__ or "__new__" in value.__dict__:
        yield f"    __init__{_signature(value)}"
    for member, defined in sorted(_members(value).items()):
        yield from _member(member, defined)


def _members(value: type) -> dict[str, Any]:
    """Public members defined by our own classes; those of libraries are not ours to promise."""
    found: dict[str, Any] = {}
    for owner in reversed(value.__mro__):
        if owner.__module__.startswith(PACKAGE):
            found.update(owner.__dict__)
    return {name: member for name, member in found.items() if not name.startswith("_")}


def _member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, property):
        returned = inspect.signature(member.fget).return_annotation if member.fget else Any
        yield f"    {name} -> {_plain(_annotation(returned))}"
    elif isinstance(member, classmethod | staticmethod):
        yield f"    {name}{_signature(member.__func__)}"
    elif inspect.isfunction(member):
        prefix = "async " if inspect.iscoroutinefunction(member) else ""
        yield f"    {prefix}{name}{_signature(member)}"


def _signature(value: Callable[..., Any]) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return "(...)"
    parameters = [
        p.replace(default=p.default if _is_plain(p.default) else ..., annotation=p.annotation)
        for p in signature.parameters.values()
    ]
    return _plain(str(signature.replace(parameters=parameters)))


def _is_plain(default: Any) -> bool:
    """Whether a default reads the same on every machine."""
    return default is inspect.Parameter.empty or isinstance(
        default, str | int | float | bool | tuple | types.NoneType
    )


def _annotation(value: Any) -> str:
    return value if isinstance(value, str) else inspect.formatannotation(value)


def _plain(text: str) -> str:
    """Without module prefixes and quotes, which change when a file moves."""
    for part in text.replace("'", "").split(f"{PACKAGE}.")[1:]:
        path = part.split("[")[0].split(",")[0].split(")")[0].split(" ")[0].split("|")[0]
        if "." in path:
            text = text.replace(f"{PACKAGE}.{path}", path.rpartition(".")[2])
    return text.replace("'", "").replace("typing.", "").replace("collections.abc.", "")


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
