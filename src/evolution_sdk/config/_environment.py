"""Read environment variables and ``.env`` files into nested values.

The reader of pydantic-settings is not used: inside references it lets the file win over the process
environment, and it silently turns a reference to an unset variable into empty text.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from evolution_sdk.errors import ConfigurationError

from ._base import parse_bool
from ._spelling import misspelt
from ._urls import wrong
from ._webhook import EVENT_PREFIX, WEBHOOK_EVENTS, event_name

_log = logging.getLogger("evolution_sdk.config")

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_QUOTED = re.compile(r"""(["'])((?:(?!\1).)*)\1(?:\s+#.*)?""", re.DOTALL)
_COMMENT = re.compile(r"(?:^#(?=\s)|\s+#).*", re.DOTALL)
_DEFAULT_FILE = ".env"
# Not checked for typing errors: the first are for the tests of this repository, and the names of
# events are checked elsewhere.
_NOT_SETTINGS = ("EVOLUTION_LIVE_", EVENT_PREFIX)
# Former names, which are still read where the present one is not set.
_FORMER = {
    "EVOLUTION_RATE_LIMIT_REDIS_URL": "EVOLUTION_RATE_LIMIT_STORE",
    "EVOLUTION_RATE_LIMIT_REDIS_PREFIX": "EVOLUTION_RATE_LIMIT_STORE_PREFIX",
}


def read_settings(
    paths: Mapping[str, tuple[str, ...]],
    env_file: str | Path | None,
    environ: Mapping[str, str],
    *,
    known: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read all settings that are set, and warn about names that look like a setting.

    Args:
        paths: Variable name → path of the field it sets.
        env_file: A ``.env`` file, or None.
        environ: The process environment, which wins over the file.
        known: All existing settings, when ``paths`` holds only some of them. The others, and the
            events, are then not read.

    Returns:
        The values as text, nested by section, with the events as a tuple of names; and the
        misspelt names, by the setting that was probably meant.

    Raises:
        ConfigurationError: The file cannot be read, a reference cannot be resolved, or an event
            is unknown.
    """
    texts = _read_file(env_file)
    # Some tools (docker --env-file) pass quotes and comments on as part of the value.
    texts.update({name: text for name in environ if (text := _clean(environ[name]))})
    for former, present in _FORMER.items():
        texts[present] = texts.get(present) or texts.get(former, "")
    values: dict[str, Any] = {}
    for name, path in paths.items():
        if texts.get(name) and (text := _resolve(name, texts, ()).strip()):
            *sections, field = path
            target = values
            for section in sections:
                target = target.setdefault(section, {})
            target[field] = text
    if known is not None:
        return values, _warn_of_typing_errors(texts, known, paths)
    events = tuple(_chosen_events(texts))
    if events:
        values.setdefault("webhook", {})["events"] = events
    return values, _warn_of_typing_errors(texts, paths)


def _read_file(env_file: str | Path | None) -> dict[str, str]:
    if env_file is None:
        return {}
    path = Path(env_file)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        # Only the default may be absent: a path that was chosen and is missing is a mistake.
        if str(env_file) == _DEFAULT_FILE:
            return {}
        problem = "does not exist"
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({type(error).__name__})"
    else:
        return _parse_file(content)
    raise ConfigurationError(
        f"env_file: {path} {problem}. Give the path of a text file in UTF-8, or None.",
        variable="env_file",
    )


def _parse_file(content: str) -> dict[str, str]:
    # Imported here, because a client without a .env file should not pay for it at start.
    from dotenv import dotenv_values

    found = dotenv_values(stream=io.StringIO(content), interpolate=False)
    # Older versions of python-dotenv read the comment of "NAME= # comment" as the value.
    return {k: v for k, v in found.items() if v and not re.match(r"#\s", v)}


def _clean(text: str) -> str:
    text = text.strip()
    if quoted := _QUOTED.fullmatch(text):
        return quoted[2]
    return _COMMENT.sub("", text, count=1).strip()


def _resolve(name: str, texts: Mapping[str, str], trail: tuple[str, ...]) -> str:
    """Return the text of a variable with its references replaced."""
    trail = (*trail, name)

    def replace(match: re.Match[str]) -> str:
        other, default = match[1], match[2]
        if other in trail:
            circle = " → ".join((*trail[trail.index(other) :], other))
            raise ConfigurationError(
                f"{trail[0]} refers to itself: {circle}. Break the circle.", variable=trail[0]
            )
        if texts.get(other):
            return _resolve(other, texts, trail)
        if default is not None:
            return str(default)
        raise ConfigurationError(
            f"{name} refers to ${{{other}}}, which is not set. Set {other}, or write "
            f"${{{other}:-default}}.",
            variable=name,
        )

    return _REFERENCE.sub(replace, texts[name])


def _chosen_events(texts: Mapping[str, str]) -> Iterable[str]:
    for name in texts:
        if not name.startswith(EVENT_PREFIX) or not texts[name]:
            continue
        event = event_name(name.removeprefix(EVENT_PREFIX))
        try:
            chosen = parse_bool(_resolve(name, texts, ()))
        except ValueError:
            raise wrong(name, "must be true or false", "true") from None
        if chosen:
            yield event


def _warn_of_typing_errors(
    texts: Iterable[str], known: Iterable[str], only: Collection[str] | None = None
) -> dict[str, str]:
    """Log each variable that looks like a setting; never its value, which may be a key."""
    settings = [name for name in known if not name.startswith(EVENT_PREFIX)]
    settings += [f"{EVENT_PREFIX}{event}" for event in WEBHOOK_EVENTS]
    names = (name for name in texts if not name.startswith((*_NOT_SETTINGS, *_FORMER)))
    found = {
        name: setting
        for name, setting in misspelt(names, settings).items()
        if only is None or setting in only
    }
    for name, setting in found.items():
        _log.warning("%s is not a setting; did you mean %s?", name, setting)
    return {setting: name for name, setting in found.items()}
