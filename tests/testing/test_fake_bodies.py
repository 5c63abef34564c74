"""Bodies as Express reads them, with Node's words for what is wrong."""

from __future__ import annotations

import pytest

from evolution_sdk.testing.fake.body import LIMIT, flat_pairs, parse_body
from evolution_sdk.testing.fake.errors import ErrorThrown
from evolution_sdk.testing.fake.multipart import parse_multipart

JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Each was said by Node 20's JSON.parse.
        ("{bad", "Expected property name or '}' in JSON at position 1"),
        ('{"a":1', "Expected ',' or '}' after property value in JSON at position 6"),
        ('{"a" 1}', "Expected ':' after property name in JSON at position 5"),
        ("[1,]", "Unexpected token ']', \"[1,]\" is not valid JSON"),
        ('{"a":tru}', 'Unexpected token \'}\', "{"a":tru}" is not valid JSON'),
        ('{"a":"\\x"}', "Bad escaped character in JSON at position 7"),
        (
            '{"number":"5511987654321","text":nope}',
            'Unexpected token \'o\', ..."","text":nope}" is not valid JSON',
        ),
        (
            '[nope,"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]',
            'Unexpected token \'o\', "[nope,"aaaaa"... is not valid JSON',
        ),
        ('{"a":1, nope}', "Expected double-quoted property name in JSON at position 8"),
        ('{"a":NaN}', 'Unexpected token \'N\', "{"a":NaN}" is not valid JSON'),
        ('"str"', 'Unexpected token \'"\', ""str"" is not valid JSON'),
        ("{}x", "Unexpected non-whitespace character after JSON at position 2"),
    ],
)
def test_wrong_json(text: str, words: str) -> None:
    with pytest.raises(ErrorThrown) as thrown:
        parse_body(JSON, text.encode())
    assert (thrown.value.status, thrown.value.message) == (400, words)


def test_what_is_not_json_is_an_empty_object() -> None:
    assert parse_body("text/plain", b"{bad") == {}
    assert parse_body(JSON, b"") == {}
    assert parse_body(JSON, b"  ") == {}


def test_too_large() -> None:
    with pytest.raises(ErrorThrown) as thrown:
        parse_body(JSON, bytes(LIMIT + 1))
    assert thrown.value.status == 413


def test_forms() -> None:
    assert flat_pairs("a=1&b=&a=2&a=3") == {"a": ["1", "2", "3"], "b": ""}


def test_multipart_fields_and_file() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="mentioned[]"\r\n\r\n1\r\n'
        b'--b\r\nContent-Disposition: form-data; name="mentioned[]"\r\n\r\n2\r\n'
        b'--b\r\nContent-Disposition: form-data; name="quoted[key][id]"\r\n\r\nX\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xc3\xa9.bin"\r\n'
        b"Content-Type: image/png\r\n\r\n\r\n--\r\n\r\n--b--\r\n"
    )
    fields, file = parse_multipart(body, "multipart/form-data; boundary=b")
    assert fields == {"mentioned": ["1", "2"], "quoted": {"key": {"id": "X"}}}
    assert file is not None
    assert (file.mimetype, file.content) == ("image/png", b"\r\n--\r\n")


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", "multipart/form-data", "Multipart: Boundary not found"),
        (b"--b\r\n", "multipart/form-data; boundary=b", "Unexpected end of form"),
        (
            b'--b\r\nContent-Disposition: form-data; name="x"; filename="y"\r\n\r\n1\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            "Unexpected file field",
        ),
    ],
)
def test_broken_multipart(body: bytes, kind: str, words: str) -> None:
    with pytest.raises(ErrorThrown, match=words):
        parse_multipart(body, kind)
