"""Exceptions of the server's JavaScript, and the bodies that its error handler writes for them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from .js import UNDEFINED, JsonObject


class Thrown(Exception):  # noqa: N818 - it models a JavaScript throw, not an error of ours
    """Anything thrown while a request is handled."""

    status: int = 500
    error: str = "Internal Server Error"

    @property
    def message(self) -> Any:
        """The ``message`` property that the error handler reads."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """Result of ``error.toString()``."""
        raise NotImplementedError

    def envelope(self) -> JsonObject:
        """The usual error body."""
        message = self.message
        # The handler's own words for an error without a message.
        shown = "Internal Server Error" if message is UNDEFINED else message
        return {"status": self.status, "error": self.error, "response": {"message": shown}}

    def raw(self) -> JsonObject:
        """Body of the bare error, as ``res.json(error)`` writes it: {} for one without members."""
        return {}


class HttpThrown(Thrown):
    """One of the server's own exceptions: a plain object, whose text is therefore lost."""

    def __init__(self, status: int, error: str, *messages: Any) -> None:
        super().__init__(status)
        self.status = status
        self.error = error
        self.messages: list[Any] = list(messages)

    @property
    def message(self) -> Any:
        """The list of messages; a plain word for a 401 without messages, else undefined."""
        if self.messages:
            return self.messages
        return "Unauthorized" if self.status == 401 else UNDEFINED

    @property
    def text(self) -> str:
        """Text of a plain object, which clients see wherever such an exception is stringified."""
        return "[object Object]"

    def raw(self) -> JsonObject:
        """The thrown object itself."""
        return {"status": self.status, "error": self.error, "message": self.message}


class ErrorThrown(Thrown):
    """A JavaScript Error; uncaught it answers 500 with its message."""

    def __init__(self, message: str, *, name: str = "Error", status: int = 500) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self._message = message

    @property
    def message(self) -> Any:
        """The message without the class."""
        return self._message

    @property
    def text(self) -> str:
        """Class and message."""
        return f"{self.name}: {self._message}"


class ConnectionClosed(ErrorThrown):
    """Baileys' refusal to use a closed socket (a Boom with status 428)."""

    def __init__(self) -> None:
        super().__init__("Connection Closed")

    def raw(self) -> JsonObject:
        """The Boom as JSON."""
        payload = {
            "statusCode": 428,
            "error": "Precondition Required",
            "message": self.message,
        }
        output = {"statusCode": 428, "payload": payload, "headers": {}}
        return {"data": None, "isBoom": True, "isServer": False, "output": output}


class TextThrown(Thrown):
    """A bare string; always caught and turned into a 400 by the code that throws it."""

    @property
    def message(self) -> Any:
        """Strings have no message property."""
        return UNDEFINED

    @property
    def text(self) -> str:
        """The string."""
        return str(self.args[0])


@contextlib.contextmanager
def failing_as(message: str) -> Generator[None]:
    """Let every failure inside answer 500 with one text, as the server's catch blocks do."""
    try:
        yield
    except Thrown:
        raise ErrorThrown(message) from None


def bad_request(*messages: Any) -> HttpThrown:
    """Make a 400 Bad Request."""
    return HttpThrown(400, "Bad Request", *messages)


def not_found(*messages: Any) -> HttpThrown:
    """Make a 404 Not Found."""
    return HttpThrown(404, "Not Found", *messages)


def internal(*messages: Any) -> HttpThrown:
    """Make a 500 with a list of messages, as the server throws it on purpose."""
    return HttpThrown(500, "Internal Server Error", *messages)


def unauthorized() -> HttpThrown:
    """Make a 401 Unauthorized, which never has a detail."""
    return HttpThrown(401, "Unauthorized")


def reading(member: str, of: str = "undefined") -> ErrorThrown:
    """Make the TypeError for ``undefined.member``."""
    return ErrorThrown(f"Cannot read properties of {of} (reading '{member}')", name="TypeError")


def database_error(call: str, detail: str, *, wrapped: bool = False) -> Thrown:
    """Make a refusal of Prisma; ``detail`` is worded here, since its text varies with the version.

    Args:
        call: The refused call, such as ``this.prismaRepository.message.findMany()``.
        detail: The mistake.
        wrapped: Whether the server put its text into a 500 of its own.
    """
    # Prisma quotes the source file and line here; recordings have <server> in their place.
    text = f"\nInvalid `{call}` invocation in\n<server>\n\n{detail}"
    if wrapped:
        return internal(f"PrismaClientValidationError: {text}")
    return ErrorThrown(text, name="PrismaClientValidationError")
