"""YAML of plain data, for files that are written and never read here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

__all__ = ["yaml_lines"]

_Map: TypeAlias = Mapping[str, object]


def yaml_lines(value: _Map, indent: str = "") -> list[str]:
    """Write a mapping; texts, and lists of them, as JSON writes them, which YAML reads.

    Args:
        value: Mappings, lists of mappings, lists of plain values, and plain values.
        indent: Blanks before each line.

    Returns:
        The lines, each with its end.
    """
    lines: list[str] = []
    for name, each in value.items():
        if each and isinstance(each, dict):
            lines += [f"{indent}{name}:\n", *yaml_lines(cast("_Map", each), f"{indent}  ")]
        elif each and isinstance(each, list) and isinstance(each[0], dict):
            lines.append(f"{indent}{name}:\n")
            for one in cast("Sequence[_Map]", each):
                first, *others = yaml_lines(one, f"{indent}    ")
                lines += [f"{indent}  - {first.lstrip()}", *others]
        else:
            lines.append(f"{indent}{name}: {json.dumps(each, ensure_ascii=False)}\n")
    return lines
