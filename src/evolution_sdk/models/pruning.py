"""Remove from an answer exactly the parts that did not fit, so that the rest of it is kept.

A page of fifty messages must not come back empty because one of them has an odd field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evolution_sdk._base.json_types import is_array, is_object

Path = tuple[int | str, ...]


def prune(data: Mapping[str, Any], bad: Sequence[Path]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Remove the misfits that validation reported.

    Args:
        data: The object that did not fit.
        bad: The places of the misfits, as pydantic's ``loc``; a path is cut where it no longer
            names a member of the data (the branch of a union).

    Returns:
        A copy without the misfits, and their wire names, for example ``records[].key``.
    """
    reached = {_existing(data, path) for path in bad}
    # If an object and a part of it are both bad, the object goes as a whole.
    found = [path for path in reached if not any(path[:n] in reached for n in range(len(path)))]
    found.sort(key=lambda path: tuple(map(str, path)))
    tree: dict[int | str, Any] = {}
    for path in found:
        place = tree
        for part in path:
            place = place.setdefault(part, {})
    names = dict.fromkeys(_name(data, path) or "(other)" for path in found)
    return _without(data, tree), tuple(names)


def _existing(data: Any, path: Path) -> tuple[Any, ...]:
    kept: list[int | str] = []
    for part in path:
        if is_object(data) and part in data:
            data = data[str(part)]
        elif is_array(data) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            break
        kept.append(part)
    return tuple(kept)


def _name(data: Any, path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int) and is_array(data):
            text += "[]"
            data = data[part]
        else:
            text += f".{part}" if text else str(part)
            data = data[part]
    return text


def _without(data: Any, tree: Mapping[int | str, Any]) -> Any:
    """Copy the data along the tree, leaving out the leaves of the tree."""
    if is_object(data):
        return {
            name: _without(value, tree[name]) if name in tree else value
            for name, value in data.items()
            if tree.get(name) != {}
        }
    if is_array(data):
        return [
            _without(value, tree[index]) if index in tree else value
            for index, value in enumerate(data)
            if tree.get(index) != {}
        ]
    return data
