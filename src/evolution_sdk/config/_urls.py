"""Rules for URLs in settings. Errors never repeat a URL: it may carry a password or token."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from evolution_sdk.errors import ConfigurationError

BASE_URL_EXAMPLE = "http://localhost:8080"


def split_url(
    url: str, variable: str, *, example: str, schemes: tuple[str, ...] = ("http", "https")
) -> SplitResult:
    """Split an absolute URL into its parts.

    Args:
        url: The URL; outer blanks are ignored.
        variable: Name of the setting, for the error.
        example: A valid value, for the error.
        schemes: The schemes allowed.

    Returns:
        Its parts.

    Raises:
        ConfigurationError: It is not an absolute URL of one of the schemes.
    """
    url = url.strip()
    if "://" not in url:
        raise wrong(variable, f"must begin with {schemes[0]}:// or {schemes[1]}://", example)
    if any(c.isspace() or not c.isprintable() for c in url):
        raise wrong(variable, "must not contain blanks or control characters", example)
    try:
        parts = urlsplit(url)
        # urlsplit checks the port only when it is read.
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong(variable, "has a host or port that is not valid", example) from None
    if parts.scheme not in schemes:
        raise wrong(variable, f"must begin with one of {', '.join(schemes)}", example)
    if not host:
        raise wrong(variable, "has no host", example)
    return parts


def wrong(variable: str, problem: str, example: str) -> ConfigurationError:
    """Build the error about a value, in the form that all of them share."""
    return ConfigurationError(
        f"{variable} {problem}. Example: {variable}={example}", variable=variable
    )


def normalize_base_url(
    url: str, variable: str = "EVOLUTION_API_URL", *, example: str = BASE_URL_EXAMPLE
) -> str:
    """Check the base URL of a server, and normalise it so that paths can be appended.

    Surrounding blanks and trailing slashes are removed; a path prefix (``https://host/evolution``)
    is kept.

    Args:
        url: The URL as configured.
        variable: Name of the setting, for the error.
        example: A valid value, for the error.

    Returns:
        The URL without a trailing slash, with scheme and host in lower case.

    Raises:
        ConfigurationError: It is empty, is not http(s), has a query, fragment or credentials, or
            names the manager page instead of the API.
    """
    if not url.strip():
        raise wrong(variable, "is missing", example)
    parts = split_url(url, variable, example=example)
    if "@" in parts.netloc:
        raise wrong(variable, "must not contain a user name or password", example)
    if "?" in url or "#" in url:
        raise wrong(variable, "must not have a query (?) or fragment (#)", example)
    path = parts.path.rstrip("/")
    if "manager" in path.lower().split("/"):
        raise wrong(
            variable,
            "is the address of the manager page: leave out /manager",
            example,
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"
