"""Findings: values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Finding", "Status"]

Status: TypeAlias = Literal["ok", "warning", "failed", "skipped"]
"""The result of a check; ``skipped`` where it makes no sense, or could not be made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        name: The check, the same in all languages.
        status: The result.
        words: What was found.
        remedy: What to do about it; empty where nothing is to be done.
        about: The instance or store that it is about; empty for the server.
    """

    name: str
    status: Status
    words: str
    remedy: str = ""
    about: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return it for JSON."""
        return {
            "name": self.name,
            "about": self.about,
            "status": self.status,
            "words": self.words,
            "remedy": self.remedy,
        }
