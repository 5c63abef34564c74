"""The version that a fake server plays."""

from __future__ import annotations

from typing import Final

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.operations.server_version import SUPPORTED, ServerProfile, profile_of

DEVELOP: Final = "2.4-pre"
"""Name of the last build of 2.4 before its licence, which calls itself 2.3.7."""

_CALLS_ITSELF: Final = "2.3.7"


def profile_named(version: str) -> ServerProfile:
    """Make the profile of a version to play.

    Args:
        version: A version, or ``2.4-pre``. One without recordings behaves as the one before it
            that has them.

    Returns:
        Its profile.

    Raises:
        ConfigurationError: It is no version.
    """
    develop = version == DEVELOP
    profile = profile_of(_CALLS_ITSELF if develop else version)
    if profile is None:
        known = ", ".join((*SUPPORTED, DEVELOP))
        raise ConfigurationError(
            f"version: {version!r} is no version of the server. Take one of {known}.",
            variable="version",
        )
    return ServerProfile(profile.version, develop)
