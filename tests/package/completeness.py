"""Everything that belongs to a route of the server, and a list of what is missing."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from evolution_sdk import OPERATIONS, Effect, Operation
from evolution_sdk.operations import routes as route_files
from evolution_sdk.reconcile.content_match import RULES
from evolution_sdk.reconcile.recorded_kinds import RECORDED
from evolution_sdk.testing import fake_routes
from evolution_sdk.testing.fake.routes import ROUTER
from facts import FACTS, ROOT, routes

_RESOURCES = ROOT / "src/evolution_sdk/_async/resources"
_PAGE = ROOT / "docs/en/reference/operations.md"
_VERSION = re.compile(r"\d+(\.\d+){1,2}(-[a-z0-9]+)?")


@dataclass
class House:
    """What the parts of the package know of the routes.

    Attributes:
        operations: The declarations.
        table: The server's own table of routes.
        methods: Keys of the operations that a method of the client calls.
        bodies: Keys of the operations whose request model is tested against the table.
        fake: Method and path of the routes of the fake server.
        rules: Kinds of send that have a rule of content.
        forms: Forms of send that are known to be recognised in the store.
        lines: Keys that have a line in the reference of operations.
        recorded: Keys of the operations of which an exchange was recorded.
    """

    operations: dict[str, Operation[Any]] = field(default_factory=lambda: dict(OPERATIONS))
    table: dict[str, Any] = field(default_factory=lambda: dict(routes()))
    methods: set[str] = field(default_factory=lambda: set(called()))
    bodies: set[str] = field(default_factory=lambda: set(tested_bodies()))
    fake: set[tuple[str, str]] = field(default_factory=lambda: set(fake_routes()))
    rules: set[str] = field(default_factory=lambda: set(RULES))
    forms: set[str] = field(default_factory=lambda: set(RECORDED))
    lines: set[str] = field(default_factory=lambda: set(documented()))
    recorded: set[str] = field(default_factory=lambda: set(recordings()))


def missing(house: House) -> list[str]:
    """Name all that is not there, one line each."""
    return [
        f"{key}: {gap}"
        for key, operation in house.operations.items()
        for gap in _gaps(key, operation, house)
    ]


def _gaps(key: str, operation: Operation[Any], house: House) -> Iterator[str]:
    route = house.table.get(key)
    if route is None:
        yield "not in the server's table of routes"
        return
    yield from _facts(operation, route)
    if key not in house.methods:
        yield "no method of the client calls it"
    if route["body"] and key not in house.bodies:
        yield "no test holds its request model against the table"
    if (operation.method, operation.path) not in house.fake:
        yield "the fake server has no such route"
    if key not in house.recorded:
        yield "no exchange was recorded"
    if key not in house.lines:
        yield "no line in docs/en/reference/operations.md"
    kind = operation.recognised_as
    if kind is not None:
        if kind not in house.rules:
            yield "no rule recognises its content in the store"
        if not any(form.partition(" ")[0] == kind for form in house.forms):
            yield "no form of it was recorded in a store"


def _facts(operation: Operation[Any], route: Mapping[str, Any]) -> Iterator[str]:
    if not _VERSION.fullmatch(operation.since):
        yield "since names no server version"
    if operation.until is not None and not _VERSION.fullmatch(operation.until):
        yield "until names no server version"
    sends_message = operation.effect is Effect.SEND and operation.group == "message"
    if sends_message and operation.recognised_as is None:
        yield "recognised_as is not said, so that a lost one is never found"
    if sends_message and operation.paced_as is None:
        yield "paced_as is not said, so that no limit holds it"
    if operation.recognised_as is not None and not operation.session:
        yield "session is not said, though it sends through WhatsApp"
    if route["multipart"] and operation.media is None:
        yield "media is not said, though it takes a file"
    if operation.group == "group" and operation.effect is not Effect.READ:
        changes = {"groupJid", *operation.query} & {"groupJid"} and operation.query
        if changes and not operation.invalidates:
            yield "invalidates is not said, though it changes a group"


def called() -> Iterator[str]:
    """Keys of the operations that the resources name, families of one shape included."""
    sources = [path.read_text("utf-8") for path in sorted(_RESOURCES.glob("*.py"))]
    names, attributes = set[str](), set[str]()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            elif isinstance(node, ast.Name):
                names.add(node.id)
    named = names | attributes
    for family in sorted(_family_names()):
        for name, value in vars(import_module(f"{route_files.__name__}.{family}")).items():
            if name not in named:
                continue
            if isinstance(value, Operation):
                yield value.name
            elif isinstance(value, tuple):
                for part in getattr(value, "_fields", ()):
                    operation = getattr(value, part)
                    if part in attributes and isinstance(operation, Operation):
                        yield operation.name


def _family_names() -> set[str]:
    folder = ROOT / "src/evolution_sdk/operations/routes"
    return {path.stem for path in folder.glob("[a-z]*.py")}


def tested_bodies() -> Iterator[str]:
    """Keys of the request models that the tests hold against the server's table."""
    sys.path.insert(0, str(ROOT / "tests/models"))
    try:
        for path in sorted((ROOT / "tests/models").glob("test_models_requests*.py")):
            yield from import_module(path.stem).BODIES
    finally:
        sys.path.remove(str(ROOT / "tests/models"))


def documented() -> Iterator[str]:
    """Keys with a row in the reference of operations."""
    yield from re.findall(r"^\| `([\w.]+)` \|", _PAGE.read_text("utf-8"), re.MULTILINE)


def recordings() -> Iterator[str]:
    """Keys of the operations in the recorded exchanges."""
    for path in (FACTS / "exchanges").glob("*.json"):
        for exchange in json.loads(path.read_text("utf-8")):
            yield exchange["operation"]
    # Recordings of other versions name no operation for the routes that were new to them.
    for path in (FACTS / "versions").glob("*/*.json"):
        for exchange in json.loads(path.read_text("utf-8")):
            asked = exchange.get("request")
            route = ROUTER.find(asked["method"], asked["path"].split("?")[0]) if asked else None
            if route is not None:
                yield route[0].operation
