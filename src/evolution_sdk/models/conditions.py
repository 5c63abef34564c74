"""Rules between the fields of one request."""

from __future__ import annotations

from typing import TypeVar

from pydantic import AfterValidator, ValidationInfo

T = TypeVar("T")


def needed_if(other: str, *values: object) -> AfterValidator:
    """Require a field to be present and not empty when another field has one of these values.

    Args:
        other: The other field; it must be declared first.
        values: The values of the other field that make this one mandatory.

    Returns:
        The validator for ``Annotated``; a field with a default needs ``validate_default=True``.
    """

    def check(value: T, info: ValidationInfo) -> T:
        # pydantic validates in order of declaration: only earlier fields are in ``info.data``.
        found = info.data.get(other)
        if not value and found in values:
            raise ValueError(f"is required when {other} is {found}")
        return value

    return AfterValidator(check)
