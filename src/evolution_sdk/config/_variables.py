"""The environment variables, and the field that each of them sets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ._base import Section, variable_of
from ._environment import read_settings

__all__ = ["know_settings", "read_section", "variable_paths"]

_whole: list[type[Section]] = []


def know_settings(whole: type[Section]) -> None:
    """Register the section that holds all others.

    A section read alone may refer to variables of the others. They are registered here, because
    this module cannot import the class that imports it.

    Args:
        whole: The class with all settings.
    """
    _whole[:] = [whole]


def read_section(
    name: str, env_file: str | Path | None, environ: Mapping[str, str] | None
) -> dict[str, Any]:
    """Read the values of one section that are set; other settings are not checked.

    Raises:
        ConfigurationError: A reference cannot be resolved, or the file cannot be read.
    """
    every = variable_paths()
    paths = {variable: path for variable, path in every.items() if path[0] == name}
    process = os.environ if environ is None else environ
    # Misspelt names are logged there; this section alone has no use for them.
    values, _ = read_settings(paths, env_file, process, known=every)
    section: dict[str, Any] = values.get(name, {})
    return section


def variable_paths() -> dict[str, tuple[str, ...]]:
    """Return every variable with the path of the field it sets; all events are one entry."""
    return dict(pair for whole in _whole for pair in _paths_of(whole, ()))


def _paths_of(
    section: type[Section], path: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, field in section.model_fields.items():
        variable = variable_of(field)
        if variable is not None and variable.name is not None:
            yield variable.name, (*path, name)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _paths_of(field.annotation, (*path, name))
