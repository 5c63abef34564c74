from __future__ import annotations

import pytest

from evolution_sdk.errors import ConnectionFailedError
from evolution_sdk.transport._url import split_url


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://h/a", ("http", "h", 80, "h"), "/a"),
        ("https://h/a", ("https", "h", 443, "h"), "/a"),
        ("https://h:443/a", ("https", "h", 443, "h"), "/a"),
        ("http://h:443/a", ("http", "h", 443, "h:443"), "/a"),
        ("http://H.Example:8080", ("http", "h.example", 8080, "h.example:8080"), "/"),
        ("http://[::1]:8080/a?b", ("http", "::1", 8080, "[::1]:8080"), "/a?b"),
        ("http://bücher.example/", ("http", "xn--bcher-kva.example", 80, None), "/"),
        ("http://h?x=http://y/z", ("http", "h", 80, "h"), "/?x=http://y/z"),
        ("http://h#top", ("http", "h", 80, "h"), "/"),
        ("http://h#/top", ("http", "h", 80, "h"), "/"),
        ("http://h/a#b?c", ("http", "h", 80, "h"), "/a"),
    ],
)
def test_the_parts_of_a_url(url, origin, target):
    made, path = split_url(url)
    scheme, host, port, header = origin
    assert (made.scheme, made.host, made.port) == (scheme, host, port)
    assert made.host_header == (header or host)
    assert path == target
    assert str(made) == f"{scheme}://{made.host_header}"


def test_credentials_are_kept_out_of_sight():
    origin, _ = split_url("https://ann:s3cret@h/a")
    assert origin.authorization is not None
    assert "s3cret" not in repr(origin) + str(origin)
    assert origin.authorization not in repr(origin)


@pytest.mark.parametrize(
    "url",
    ["", "h/a", "/a", "ftp://h/a", "http://", "http://h:x/", "http://h:99999/", "http://[::1/"],
)
def test_what_is_no_url(url):
    with pytest.raises(ConnectionFailedError):
        split_url(url)


@pytest.mark.parametrize("path", ["/a b", "/ü", "/a\r\nb", "/a\x00"])
def test_a_path_must_be_encoded(path):
    with pytest.raises(ConnectionFailedError, match="encoded"):
        split_url("http://h" + path)
