"""The rules that every model follows.

Answers are read leniently: unknown fields and unknown enum values are kept, every field has a
default, and an answer that does not fit still becomes a model, with the misfits named in
``drift``. Requests are checked strictly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.redact import masked
from evolution_sdk.errors import RequestValidationError

from .pruning import prune
from .wire import decode_long


class OpenEnum(StrEnum):
    """A string enum that keeps unknown values, so that a newer server does not break the client."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # Not entered in the enum's table, by which ``is_known`` recognises known values.
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Tell whether this SDK knows the value."""
        return self._value_ in type(self)._value2member_map_


def _from_seconds(value: object) -> object:
    """Read unix seconds as the server writes them: int, decimal string, or ``{low, high}``."""
    seconds = decode_long(value)
    if seconds is None:
        return value
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("not a time") from error


def _aware(value: datetime) -> datetime:
    """Give a time without a zone the zone UTC, in which the server writes its times."""
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def to_iso(value: datetime) -> str:
    """Write an aware time as the server does: ISO 8601 in UTC, with milliseconds and a ``Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


UnixTime = Annotated[
    datetime,
    BeforeValidator(_from_seconds),
    AfterValidator(_aware),
    PlainSerializer(lambda value: int(value.timestamp()), return_type=int, when_used="json"),
]
"""An aware datetime; unix seconds on the wire."""

IsoTime = Annotated[
    datetime,
    AfterValidator(_aware),
    PlainSerializer(to_iso, return_type=str, when_used="json"),
]
"""An aware datetime; ISO 8601 in UTC on the wire."""

Number = Annotated[int, BeforeValidator(lambda value: _plain(value))]
"""An integer, which the server may write as text or as ``{low, high, unsigned}``."""


def _plain(value: object) -> object:
    number = decode_long(value)
    return value if number is None else number


_WHOLE = frozenset({"instance", "instance_name"})
"""Fields that hold a name chosen by the operator, shown even if it looks like a phone number."""


class Model(BaseModel):
    """An answer of the server, or a part of one.

    Attributes:
        raw: The decoded JSON exactly as received.
        drift: Names of fields that did not fit this model; normally empty.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="allow",
        frozen=True,
        populate_by_name=True,
        alias_generator=to_camel,
        protected_namespaces=(),
        arbitrary_types_allowed=False,
    )

    shown: ClassVar[tuple[str, ...]] = ()
    """Fields that ``repr`` may show; any other could hold a secret or the text of a message."""
    expected: ClassVar[tuple[str, ...]] = ()
    """Wire names that every such answer carries; a missing one is reported as drift."""

    # Slots, because pydantic's private attributes double the cost of building a model.
    __slots__ = ("_drift", "_raw")

    @property
    def raw(self) -> Any:
        """The decoded JSON as it came; for a part of a larger answer, that part."""
        # In a tuple, because the answer itself may be None.
        raw: tuple[Any, ...] = getattr(self, "_raw", ())
        if raw:
            return raw[0]
        return self.model_dump(by_alias=True, exclude_unset=True, mode="json")

    @property
    def drift(self) -> tuple[str, ...]:
        """Wire names of the fields that did not fit; empty in the normal case."""
        return getattr(self, "_drift", ())

    @classmethod
    def from_wire(cls, data: Any) -> Self:
        """Build a model from decoded JSON; never raises.

        Args:
            data: The server's answer, of any shape.

        Returns:
            The model. Fields that did not fit keep their defaults, items of a list are dropped,
            and ``drift`` names both, for example ``records[].key``.
        """
        if not is_object(data):
            return cls.model_construct()._keep(data, ("(not an object)",))
        told = cls._spelled(data)
        expected = cls.expected
        missing = tuple([name for name in expected if name not in told]) if expected else ()
        try:
            # As ``model_validate`` without its options.
            made: Self = cls.__pydantic_validator__.validate_python(told)
        except ValidationError as error:
            return cls._pruned(data, told, missing, error)
        _set_raw(made, (data,))
        _set_drift(made, missing)
        return made

    @classmethod
    def _pruned(
        cls, data: Any, told: Mapping[str, Any], missing: tuple[str, ...], error: ValidationError
    ) -> Self:
        """Build a model from an object that did not fit, without what did not."""
        bad = [problem["loc"] for problem in error.errors(include_url=False)]
        kept, drift = prune(told, bad)
        # The call has been completed on the server: reading its answer must not make it fail.
        try:
            model = cls.model_validate(kept)
        except ValidationError:
            model = cls.model_construct()
        return model._keep(data, (*drift, *missing))

    @classmethod
    def _spelled(cls, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the object with the wire names of this model."""
        return data

    def _keep(self, raw: Any, drift: tuple[str, ...]) -> Self:
        _set_raw(self, (raw,))
        _set_drift(self, drift)
        return self

    def _kept(self) -> dict[str, Any]:
        """Collect the values in slots, which pydantic neither copies nor pickles."""
        slots = (name for cls in type(self).__mro__ for name in cls.__dict__.get("__slots__", ()))
        names = [name for name in slots if not name.startswith("__") and hasattr(self, name)]
        return {name: getattr(self, name) for name in names}

    def _take(self, kept: Mapping[str, Any]) -> Self:
        for name, value in kept.items():
            object.__setattr__(self, name, value)
        return self

    def __getstate__(self) -> dict[Any, Any]:
        return {**super().__getstate__(), "kept": self._kept()}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        self._take(state.pop("kept", {}))
        super().__setstate__(state)

    def __copy__(self) -> Self:
        return super().__copy__()._take(self._kept())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return super().__deepcopy__(memo)._take(deepcopy(self._kept(), memo))

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [
            (name, value if name in _WHOLE else masked(value))
            for name, value in ((name, getattr(self, name)) for name in self.shown)
        ]

    def __str__(self) -> str:
        return repr(self)


def _setter(name: str) -> Callable[[Model, object], None]:
    # Past pydantic's own setter, which refuses every assignment to a frozen model.
    setter: Callable[[Model, object], None] = Model.__dict__[name].__set__
    return setter


_set_raw = _setter("_raw")
_set_drift = _setter("_drift")


class RenamedModel(Model):
    """A model of which fields have other names on other server versions.

    It reads them under the newest name, so that the result is the same whatever the version;
    ``raw`` keeps what the server wrote.
    """

    other_names: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Wire name → its names on other versions, read where it is missing itself."""

    @classmethod
    def _spelled(cls, data: Mapping[str, Any]) -> Mapping[str, Any]:
        found = {
            name: data[other]
            for name, others in cls.other_names.items()
            if name not in data
            for other in others
            if other in data
        }
        return {**data, **found} if found else data

    @model_validator(mode="before")
    @classmethod
    def _spell_part(cls, data: Any) -> Any:
        # A part of another model is not built by from_wire.
        return cls._spelled(data) if is_object(data) else data


class MisfitError(ValueError):
    """A broken rule about several fields: names the field to change, and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(rule)
        self.field = field


_AS_IT_IS: Mapping[str, str] = MappingProxyType({})


def json_of(field: str, value: Any) -> bytes:
    """Write a value as JSON.

    Args:
        field: The caller's name for it, used in the error.
        value: The value.

    Returns:
        The JSON.

    Raises:
        RequestValidationError: The value holds something that JSON cannot carry.
    """
    try:
        return to_json(value)
    except Exception as error:  # noqa: BLE001 - pydantic, the codec and the stack raise their own
        raise RequestValidationError(
            field,
            f"cannot be written as JSON ({type(error).__name__}): give texts, numbers, True, "
            "False, None, lists and mappings of them, not nested deeply",
        ) from None


class RequestModel(BaseModel):
    """A request body: checked before it leaves, without unset fields and never with ``null``.

    The server rejects ``null`` where a field may be absent (`facts/semantics.md` §3).
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        alias_generator=to_camel,
        protected_namespaces=(),
        hide_input_in_errors=True,
        loc_by_alias=False,
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _first_problem(error) from None

    # Makes pydantic take this __init__ for its own. Inner models are then not built through it, and
    # a problem inside one is reported with its full path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    called: ClassVar[Mapping[str, str]] = _AS_IT_IS
    """Argument names for the fields that callers know under another name; used in errors."""

    @classmethod
    def check(cls, **values: Any) -> Self:
        """Build a request from arguments, leaving out those that are None.

        Raises:
            RequestValidationError: An argument breaks a rule; the error names both.
        """
        try:
            return cls.model_validate({k: v for k, v in values.items() if v is not None})
        except ValidationError as error:
            raise _first_problem(error, cls.called) from None

    def body(self) -> dict[str, Any]:
        """Build the JSON body, with the server's names and without unset fields."""
        try:
            return self.model_dump(by_alias=True, exclude_none=True, mode="json")
        except Exception:
            # Pydantic does not say which field it could not write: try them one by one.
            for name in type(self).model_fields:
                json_of(self.called.get(name, name), getattr(self, name))
            raise

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return []


def _first_problem(
    error: ValidationError, called: Mapping[str, str] = _AS_IT_IS
) -> RequestValidationError:
    """Turn pydantic's first problem into our error: a field path and a rule, without the value."""
    problem = error.errors(include_url=False, include_input=False)[0]
    path = ""
    cause = problem.get("ctx", {}).get("error")
    more = (cause.field,) if isinstance(cause, MisfitError) else ()
    for part in (*problem["loc"], *more):
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else str(part))
    rule = problem["msg"].removeprefix("Value error, ")
    for name, argument in called.items():
        if path == name or path.startswith((f"{name}.", f"{name}[")):
            path = (argument + path[len(name) :]).removeprefix(".")
            break
    return RequestValidationError(path or "request", rule)
