"""From an operation and its arguments to the request that travels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._base.request import FilePart, Timeouts, basic_auth
from evolution_sdk.errors import ConfigurationError, RequestValidationError

from .operation import Operation, TimeoutKind

_SLOWEST_UPLOAD_BYTES_PER_MS = 64
"""64 kB/s: the slowest link an upload is given time for."""


def url_for(
    base_url: str,
    operation: Operation[Any],
    instance: str | None,
    path: Mapping[str, str] | None = None,
) -> str:
    """Build the absolute URL of an operation, without its query.

    Args:
        base_url: The server's base URL, without a trailing slash.
        operation: What to call.
        instance: Name of the instance, for routes that have one.
        path: Values of the route's other placeholders.

    Returns:
        The URL, with every value percent-encoded as one path segment.

    Raises:
        ConfigurationError: The route needs an instance and none is known.
        RequestValidationError: A value cannot be part of a URL.
    """
    values = dict(path or {})
    if "{instance}" in operation.path:
        if not instance:
            raise ConfigurationError(
                f"{operation.name} needs an instance. Use client.instance('name'), pass "
                "instance= to the client, or set EVOLUTION_INSTANCE.",
                variable="EVOLUTION_INSTANCE",
            )
        values["instance"] = instance
    # Encoded with safe="": a slash in a name must not open another path segment.
    route = operation.path
    for name, value in values.items():
        route = route.replace(f"{{{name}}}", quote(check_segment(name, value), safe=""))
    return base_url + route


def check_segment(name: str, value: str) -> str:
    """Refuse what cannot stand alone between two slashes.

    Args:
        name: What the caller calls it, for the error.
        value: The value.

    Returns:
        The value.

    Raises:
        RequestValidationError: It cannot be part of a URL.
    """
    if value in ("", ".", ".."):
        raise RequestValidationError(name, "'', '.' and '..' cannot be addressed by URL")
    return value


def query_for(operation: Operation[Any], query: Mapping[str, str | None]) -> str:
    """Encode the query; only documented keys, because others would overwrite the path.

    Args:
        operation: What to call.
        query: Values by key; None leaves a key out.

    Returns:
        The query with its question mark, or an empty text.

    Raises:
        RequestValidationError: The operation does not take such a key.
    """
    # The server merges the query over the path after its key check: a stray key would redirect
    # the call to another instance (facts/semantics.md §1).
    for key in query:
        if key not in operation.query:
            raise RequestValidationError(key, f"{operation.name} takes no such query key")
    given = {key: value for key, value in query.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def metrics_headers(user: str | None, password: str | None) -> dict[str, str]:
    """Headers for the server's metrics, which take HTTP Basic in the place of a key.

    Raises:
        RequestValidationError: One of the two is missing.
    """
    headers = {"accept": "text/plain"}
    if user is not None or password is not None:
        if not user or not password:
            raise RequestValidationError("user/password", "give both, or none")
        headers["authorization"] = basic_auth(user, password)
    return headers


def as_form(body: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a JSON body into what can travel next to a file part, where everything is text.

    The server looks a quoted message up by its id, so that the id alone is enough; the mere
    presence of ``mentionsEveryOne`` is a yes (`facts/semantics.md` §3).
    """
    form = dict(body)
    quoted = form.get("quoted")
    if is_object(quoted):
        form["quoted"] = {"key": {"id": quoted["key"]["id"]}}
    if form.get("mentionsEveryOne"):
        form["mentionsEveryOne"] = "true"
    # Both are taken as text as well (`facts/versions/versions.json`).
    if "gifPlayback" in form:
        form["gifPlayback"] = "true" if form["gifPlayback"] else "false"
    if "gifAttribution" in form:
        form["gifAttribution"] = str(form["gifAttribution"])
    return form


def form_fields(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Flatten a body into multipart text fields, as the server's parser nests them again.

    ``mentioned[]`` for lists and ``quoted[key][id]`` for objects work; numbers and booleans do
    not, because every part arrives as text (`facts/semantics.md` §3).

    Raises:
        RequestValidationError: A value cannot travel as text.
    """
    return tuple(field for name, value in body.items() for field in _fields(name, value))


def _fields(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif is_object(value):
        for key, inner in value.items():
            yield from _fields(f"{name}[{key}]", inner)
    elif is_array(value):
        for inner in value:
            yield from _fields(f"{name}[]", inner)
    else:
        raise RequestValidationError(
            name, "cannot be sent together with a file part; send the file by URL or base64"
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """The configured time limits, in milliseconds, by kind of operation."""

    connect_ms: float
    read_ms: float
    send_ms: float
    media_ms: float

    def for_call(
        self,
        operation: Operation[Any],
        chosen_ms: float | None,
        extra_ms: float,
        most_ms: float | None = None,
    ) -> Timeouts:
        """The limits of one attempt.

        Args:
            operation: What is called; it knows its kind and how long the server takes.
            chosen_ms: What the caller asked for instead, or None.
            extra_ms: What the server holds on purpose, and the upload takes.
            most_ms: What the retry policy allows an attempt, or None.

        Returns:
            Limits for connecting, and for the attempt as a whole.
        """
        wait = chosen_ms
        if wait is None:
            by_kind = {
                TimeoutKind.READ: self.read_ms,
                TimeoutKind.SEND: self.send_ms,
                TimeoutKind.MEDIA: self.media_ms,
            }
            wait = by_kind[operation.timeout] + operation.patience_ms
        if most_ms is not None:
            wait = min(wait, most_ms)
        wait += extra_ms
        return self.within(wait)

    def within(self, total_ms: float) -> Timeouts:
        """The limits of an attempt that may take so long in all, in milliseconds."""
        return Timeouts(
            connect_ms=self.connect_ms,
            read_ms=total_ms,
            write_ms=total_ms,
            pool_ms=total_ms,
            total_ms=total_ms,
        )


def upload_ms(content: bytes | None, file: FilePart | None) -> float:
    """Return the extra time for an upload of this size, in milliseconds (whole seconds)."""
    size = len(content or b"") if file is None else file.size
    # In steps, so that transports meet few different limits and can keep what they make of them.
    return size // (1_000 * _SLOWEST_UPLOAD_BYTES_PER_MS) * 1_000
