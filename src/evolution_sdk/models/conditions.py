"""Rules between the fields of one request."""

from __future__ import annotations

from typing import TypeVar

from pydantic import AfterValidator, ValidationInfo

T = TypeVar("T")


def needed_if(other: str, *values: object) -> AfterValidator:
    """Demand a field (neither missing nor empty) if another field has one of these values.

    Args:
        other: The other field, which must be declared before.
        values: Values of the other field that demand this one.

    Returns:
        The validator for ``Annotated``; a field with a default needs ``validate_default=True``.
    """

    def check(value: T, info: ValidationInfo) -> T:
        found = info.data.get(other)
        if not value and found in values:
            raise ValueError(f"is required when {other} is {found}")
        return value

    return AfterValidator(check)
