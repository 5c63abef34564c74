"""Settings of the live console."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from ._base import Section, Variable

__all__ = ["ConsoleConfig"]


class ConsoleConfig(Section):
    """The live console.

    Attributes:
        token: Opens the page. None: the program gives one, or decides by a callable; the command
            ``evolution console`` makes one for each start.
    """

    token: Annotated[
        Annotated[SecretStr, Field(min_length=16)] | None,
        Variable(
            "EVOLUTION_CONSOLE_TOKEN", "16 characters or more", "a-long-random-token", secret=True
        ),
    ] = None
