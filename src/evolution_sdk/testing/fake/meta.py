"""Meta's Graph API behind the server: its templates, and the server's error shape for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .errors import ErrorThrown, Thrown
from .js import UNDEFINED, JsonObject, get, iso, truthy

_HELLO_WORLD: JsonObject = {
    "name": "hello_world",
    "parameter_format": "POSITIONAL",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
        {"type": "BODY", "text": "Welcome and congratulations!!"},
    ],
    "language": "en_US",
    "status": "APPROVED",
    "category": "UTILITY",
    "id": "1192339204654487",
}


class CodedError(ErrorThrown):
    """An Error with the fields that the Meta envelope reads: ``code``, ``type`` and so on."""

    def __init__(self, message: str, fields: JsonObject) -> None:
        super().__init__(message)
        self.fields: JsonObject = {"message": message, **fields}


def meta_envelope(thrown: Thrown, context: str, now_ms: float) -> JsonObject:
    """Make the body of any failure on ``/template/*`` and ``/business/*``.

    Args:
        thrown: The exception, Meta's or any other.
        context: Name that the route gives itself.
        now_ms: The server's time.
    """
    fields = thrown.fields if isinstance(thrown, CodedError) else {"message": thrown.message}

    # The server falls back from Meta's words for users to its message, then to a constant.
    def first(*names: str, default: Any) -> Any:
        return next((v for name in names if truthy(v := get(fields, name))), default)

    title = first("error_user_title", "message", default="Unknown error")
    text = first("error_user_msg", "message", default="Unknown error")
    return {
        "status": 400,
        "error": "Bad Request",
        "message": title,
        "details": {
            "whatsapp_error": text,
            "whatsapp_code": first("code", default="UNKNOWN_ERROR"),
            "error_user_title": title,
            "error_user_msg": text,
            "error_type": first("type", default="UNKNOWN"),
            "error_subcode": first("error_subcode", default=None),
            "fbtrace_id": first("fbtrace_id", default=None),
            "context": context,
            "type": "whatsapp_api_error",
        },
        "timestamp": iso(now_ms),
    }


@dataclass(slots=True)
class TemplateDirectory:
    """The templates that Meta keeps, by WhatsApp Business Account.

    Attributes:
        reachable: Whether Meta can be reached at all.
        refusals: Meta's error by template name; under None, for every request.
    """

    reachable: bool = True
    refusals: dict[str | None, JsonObject] = field(default_factory=dict[str | None, JsonObject])
    _listed: dict[str | None, list[JsonObject]] = field(
        default_factory=dict[str | None, list[JsonObject]]
    )

    def of(self, account: str | None) -> list[JsonObject]:
        """Return the templates of an account; a new account has Meta's sample."""
        return self._listed.setdefault(account, [dict(_HELLO_WORLD)])

    def refusal(self, name: str | None = None) -> JsonObject | None:
        """Return Meta's error for a request about a template, or for listing them.

        Raises:
            ErrorThrown: Meta cannot be reached.
        """
        if not self.reachable:
            raise ErrorThrown("Connection error: connect ECONNREFUSED")
        return self.refusals.get(name, self.refusals.get(None))

    def create(self, account: str | None, id_: str, wanted: JsonObject) -> JsonObject:
        """Accept a template; it waits for approval.

        Raises:
            CodedError: Meta refuses it.
            ErrorThrown: Meta cannot be reached.
        """
        self._refuse(wanted["name"])
        category = wanted["category"]
        listed = {name: wanted[name] for name in ("name", "components", "language")}
        # Only these three come back from Meta; the rest is listed later.
        made = {"id": id_, "status": "PENDING", "category": category}
        self.of(account).append({"parameter_format": "POSITIONAL", **listed, **made})
        return made

    def edit(self, template_id: str, changes: JsonObject) -> JsonObject:
        """Change a template; one that is not listed here is changed as well, unseen.

        Raises:
            CodedError: Meta refuses it.
            ErrorThrown: Meta cannot be reached.
        """
        listed = [template for rows in self._listed.values() for template in rows]
        found = next((each for each in listed if each["id"] == template_id), None)
        self._refuse(None if found is None else found["name"])
        if found is not None:
            found.update(changes)
        return {"success": True, "id": template_id}

    def delete(self, account: str | None, name: str, template_id: Any) -> JsonObject:
        """Delete a template: all of its languages, or the one with the id.

        Raises:
            CodedError: Meta refuses it.
            ErrorThrown: Meta cannot be reached.
        """
        self._refuse(name)
        rows = self.of(account)
        every = template_id is UNDEFINED
        rows[:] = [
            row for row in rows if row["name"] != name or not (every or row["id"] == template_id)
        ]
        return {"success": True}

    def _refuse(self, name: str | None) -> None:
        refusal = self.refusal(name)
        if refusal is not None:
            raise CodedError(refusal.get("message") or "WhatsApp API Error", refusal)

    def list(self, account: str | None) -> Any:
        """List the templates; undefined for an error of Meta's, which has no ``data``."""
        if self.refusal() is not None:
            return UNDEFINED
        return [dict(template) for template in self.of(account)]
