"""Base of every section: fields that know their variable, and errors that name it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from evolution_sdk._base.redact import masked
from evolution_sdk._common.rules import MOST_MS, MOST_WAIT_MS, shown_value
from evolution_sdk.errors import ConfigurationError

from ._urls import wrong

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class Variable:
    """Environment variable behind a field.

    Attributes:
        name: Name of the variable; None for a field that only code sets.
        rule: Its rule, which completes the phrase "must be".
        example: A valid value. Default: the field's default.
        secret: Whether a wrong value must be hidden in errors.
    """

    name: str | None
    rule: str
    example: str = ""
    secret: bool = False


class Section(BaseModel):
    """Base of all sections: frozen, without unknown fields, errors as ConfigurationError."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=True,
        # Most programs set values in two or three sections only. The other sections are never
        # checked, and building their validators would slow down every start.
        defer_build=True,
    )

    if not TYPE_CHECKING:  # type checkers see the fields as arguments, with their types

        def __init__(self, **values: Any) -> None:
            complaint: ConfigurationError | None = None
            try:
                super().__init__(**values)
            except ValidationError as error:
                complaint = _explain(type(self), error)
            # Raised outside the handler, so that pydantic's error, which holds the value, does not
            # become its context.
            if complaint is not None:
                raise complaint

    def __setattr__(self, name: str, value: Any) -> None:
        # pydantic's own error would show the value, which may be a key.
        raise AttributeError(f"{type(self).__name__} is frozen: make another with replace()")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # Names and URLs are shown even if they look like a phone number.
        whole = ("instance", "instances", "base_url", "server_url")
        for name, value in super().__repr_args__():
            yield name, value if name in whole else masked(value)

    def given(self) -> dict[str, Any]:
        """Collect the values that were set, as opposed to the defaults.

        Returns:
            Values by field name, sorted.
        """
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}

    def replace(self, **changes: Any) -> Self:
        """Make a copy with other values, checked like a new one.

        Args:
            **changes: Fields by name. A mapping for a section changes only the fields it names.

        Returns:
            The new section.

        Raises:
            ConfigurationError: A value is wrong or a name unknown. The error names the field, not
                its variable.
        """
        values = self.given()
        for name, change in changes.items():
            part = getattr(self, name, None)
            if isinstance(part, Section) and isinstance(change, Mapping):
                values[name] = _merged(part, cast("Mapping[str, Any]", change))
            else:
                values[name] = change
        complaint: ConfigurationError | None = None
        try:
            return type(self)(**values)
        except ConfigurationError as error:
            complaint = _by_field(type(self), error)
        raise complaint


def _by_field(section: type[Section], error: ConfigurationError) -> ConfigurationError:
    """Replace the names of variables in an error with the names of their fields."""
    text, told = str(error), error.variable
    for name, field in section.model_fields.items():
        variable = variable_of(field)
        if variable is not None and variable.name is not None:
            # A whole word: the name of one variable may begin the name of another.
            text = re.sub(rf"\b{variable.name}\b", name, text)
            told = name if told == variable.name else told
    return ConfigurationError(text, variable=told)


def _merged(section: Section, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge changes into the values of a section, and of the sections in it."""
    values = section.given()
    for name, change in changes.items():
        part = getattr(section, name, None) if isinstance(name, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        if isinstance(part, Section) and isinstance(change, Mapping):
            values[name] = _merged(part, cast("Mapping[str, Any]", change))
        else:
            values[name] = change
    return values


S = TypeVar("S", bound=Section)


class SectionField:
    """Marks a field that holds a section, which validates itself."""

    def __get_pydantic_core_schema__(
        self, source: type[Section], _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        def read(value: object) -> Section:
            if isinstance(value, source):
                return value
            if isinstance(value, dict):
                return source(**cast("dict[str, Any]", value))
            raise ValueError("not a section")

        return core_schema.no_info_plain_validator_function(read)


def untouched(section: type[S]) -> S:
    """Make a section without set values and without validating its defaults.

    Args:
        section: Its class.
    """
    return section.model_construct()


def variable_of(field: FieldInfo) -> Variable | None:
    """Return the variable a field is read from, or None when the field is a section."""
    return next((m for m in field.metadata if isinstance(m, Variable)), None)


def _explain(section: type[Section], error: ValidationError) -> ConfigurationError:
    """List every wrong value, with its variable, rule and an example."""
    texts: list[str] = []
    first: str | None = None
    named: set[str] = set()
    for item in error.errors(include_url=False):
        name = str(item["loc"][0]) if item["loc"] else ""
        # pydantic reports a field that accepts several types once for each type.
        if name in named:
            continue
        named.add(name)
        field = section.model_fields.get(name)
        variable = variable_of(field) if field else None
        if variable is None:
            kind = "is not a setting" if item["type"] == "extra_forbidden" else "is not valid"
            close = difflib.get_close_matches(name, section.model_fields, n=1)
            texts.append(f"{name} {kind}" + (f"; did you mean {close[0]}?" if close else ""))
            first = first or name
            continue
        missing = item["type"] == "missing"
        shown = "" if variable.secret or missing else f" (it is {shown_value(item['input'])})"
        problem = "is missing" if missing else f"must be {variable.rule}{shown}"
        shown_name = variable.name or name
        texts.append(str(wrong(shown_name, problem, variable.example or _as_text(field))))
        first = first or shown_name
    return ConfigurationError("\n".join(texts), variable=first)


def _as_text(field: FieldInfo | None) -> str:
    """Write a field's default in the form of its variable."""
    default = None if field is None else field.default
    return str(default).lower() if isinstance(default, bool) else str(default)


def parse_bool(value: object) -> object:
    """Read the words for yes and no.

    Raises:
        ValueError: The value is neither a bool nor one of the words.
    """
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("not a boolean")


SWITCH_RULE = "true or false (also 1/0, yes/no, on/off)"
Switch = Annotated[bool, BeforeValidator(parse_bool)]
Milliseconds = Annotated[int, Field(ge=0, le=MOST_MS)]
Positive = Annotated[int, Field(ge=1, le=MOST_MS)]
Wait = Annotated[int, Field(ge=1, le=MOST_WAIT_MS)]


def check_key(value: object, variable: str) -> object:
    """Reject a key that no HTTP header can carry, without showing it."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return value
    text = text.strip()
    if not text:
        raise wrong(variable, "is missing", "your-key")
    if not all("!" <= c <= "~" for c in text):
        raise wrong(variable, "must be printable ASCII without blanks", "your-key")
    return SecretStr(text)
