"""Buttons and lists in a form that every phone shows: numbered text, or a poll. Pure.

Before server 2.4 Baileys sends them in a form that phones often do not show
(`facts/versions/versions.md` "sendButtons baileys").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.requests_message import Button, ListRow, ListSection

__all__ = [
    "Fallback",
    "buttons_as_poll",
    "buttons_as_text",
    "list_as_poll",
    "list_as_text",
]

Fallback: TypeAlias = Literal["text", "poll"]
"""The form in which buttons and lists are sent where they may not be shown."""

_MOST_CHOICES = 10


def buttons_as_text(
    title: str, description: str | None, footer: str | None, buttons: Sequence[Button]
) -> str:
    """Write buttons as numbered text.

    Args:
        title: The title; it becomes bold.
        description: The text below it.
        footer: The small text.
        buttons: The buttons; what a link, a call or a copy button holds follows its label.

    Raises:
        RequestValidationError: A ``pix`` button, which has no form as text.
    """
    lines = [f"{number}. {_line(button)}" for number, button in enumerate(buttons, 1)]
    return _blocks(f"*{title}*", description, "\n".join(lines), footer)


def buttons_as_poll(
    title: str, description: str | None, buttons: Sequence[Button]
) -> tuple[str, tuple[str, ...]]:
    """Make a question and its choices of buttons.

    Args:
        title: The title.
        description: The text below it; it becomes part of the question.
        buttons: Reply buttons with different labels.

    Raises:
        RequestValidationError: A button is more than a choice, or the choices make no poll.
    """
    if any(button.type != "reply" for button in buttons):
        raise RequestValidationError("fallback", "only reply buttons can become a poll")
    labels = [button.display_text or "" for button in buttons]
    return _blocks(title, description), _choices(labels)


def list_as_text(
    title: str, description: str | None, footer: str | None, sections: Sequence[ListSection]
) -> str:
    """Write a list as numbered text; the numbers go on from section to section.

    Args:
        title: The title; it becomes bold.
        description: The text below it.
        footer: The small text.
        sections: The groups of rows.
    """
    blocks: list[str | None] = [f"*{title}*", description]
    number = 0
    for section in sections:
        lines = [f"_{section.title}_"] if section.title else []
        for row in section.rows:
            number += 1
            more = f" - {row.description}" if row.description else ""
            lines.append(f"{number}. {row.title}{more}")
        blocks.append("\n".join(lines))
    return _blocks(*blocks, footer)


def list_as_poll(
    title: str, description: str | None, sections: Sequence[ListSection]
) -> tuple[str, tuple[str, ...]]:
    """Make a question and its choices of a list.

    Args:
        title: The title.
        description: The text below it; it becomes part of the question.
        sections: The groups of rows: 2 to 10 rows in all, with different titles.

    Raises:
        RequestValidationError: The rows make no poll.
    """
    rows: list[ListRow] = [row for section in sections for row in section.rows]
    return _blocks(title, description), _choices([row.title for row in rows])


def _choices(labels: Sequence[str]) -> tuple[str, ...]:
    if not 2 <= len(labels) <= _MOST_CHOICES or len(set(labels)) != len(labels):
        raise RequestValidationError(
            "fallback", f"a poll needs 2 to {_MOST_CHOICES} different choices: use 'text'"
        )
    return tuple(labels)


def _line(button: Button) -> str:
    if button.type == "pix":
        raise RequestValidationError("fallback", "a pix button has no form as text")
    held = button.url or button.copy_code or button.phone_number
    label = button.display_text or ""
    return label if held is None or button.type == "reply" else f"{label}: {held}"


def _blocks(*blocks: str | None) -> str:
    return "\n\n".join(block for block in blocks if block)
