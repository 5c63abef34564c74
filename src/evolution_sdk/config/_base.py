"""What every section is made of: fields that name their variable, and errors that do too."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

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
    """The environment variable behind a field.

    Attributes:
        name: Name of the variable; None for a field that only code sets.
        rule: Its rule, completing "must be".
        example: A right value. Default: the field's default.
        secret: Whether a wrong value must not be shown.
    """

    name: str | None
    rule: str
    example: str = ""
    secret: bool = False


class Section(BaseModel):
    """Base of all parts: frozen, nothing unknown, errors as ConfigurationError."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=True,
        # Most programs set a value in two or three sections; the others are never checked, and
        # making their validators would be felt in every start.
        defer_build=True,
    )

    def __init__(self, **values: Any) -> None:
        complaint: ConfigurationError | None = None
        try:
            super().__init__(**values)
        except ValidationError as error:
            complaint = _explain(type(self), error)
        # Raised out here, so that it does not carry pydantic's error, and with it the value.
        if complaint is not None:
            raise complaint

    def __setattr__(self, name: str, value: Any) -> None:
        # pydantic's own refusal would show the value, which may be a key.
        raise AttributeError(f"{type(self).__name__} is frozen: make another with replace()")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        whole = ("instance", "instances", "base_url", "server_url")
        for name, value in super().__repr_args__():
            yield name, value if name in whole else masked(value)

    def given(self) -> dict[str, Any]:
        """The values that were set, as opposed to defaulted.

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
            ConfigurationError: A value is wrong or a name unknown; it is called as here, and not by
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
    """Name the fields of a section in an error, where it names their variables."""
    text, told = str(error), error.variable
    for name, field in section.model_fields.items():
        variable = variable_of(field)
        if variable is not None and variable.name is not None:
            # A whole word: one variable may be the beginning of another.
            text = re.sub(rf"\b{variable.name}\b", name, text)
            told = name if told == variable.name else told
    return ConfigurationError(text, variable=told)


def _merged(section: Section, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay changes over the values of a section, and of the sections in it."""
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
    """Says of a field that it holds a section, which checks itself."""

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
    """Make a section of which nothing was set; defaults are right as they are.

    Args:
        section: Its class.
    """
    return section.model_construct()


def variable_of(field: FieldInfo) -> Variable | None:
    """The variable a field is read from, or None when the field is a section."""
    return next((m for m in field.metadata if isinstance(m, Variable)), None)


def _explain(section: type[Section], error: ValidationError) -> ConfigurationError:
    """Name every value at fault, by variable, rule and example."""
    texts: list[str] = []
    first: str | None = None
    named: set[str] = set()
    for item in error.errors(include_url=False):
        name = str(item["loc"][0]) if item["loc"] else ""
        # A field that takes several types has a complaint of each.
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
    """Write a field's default as its variable would hold it."""
    default = None if field is None else field.default
    return str(default).lower() if isinstance(default, bool) else str(default)


def parse_bool(value: object) -> object:
    """Read the words for yes and no; anything else is left for pydantic to refuse."""
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
    """Refuse a key that no HTTP header can carry, without showing it."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return value
    text = text.strip()
    if not text:
        raise wrong(variable, "is missing", "your-key")
    if not all("!" <= c <= "~" for c in text):
        raise wrong(variable, "must be printable ASCII without blanks", "your-key")
    return SecretStr(text)
