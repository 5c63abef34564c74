"""From an operation and its arguments to URL, query, form fields and time limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk import OPERATIONS
from evolution_sdk._base.request import FilePart, Response
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.operations.answers import downloaded, retry_after_ms, server_time
from evolution_sdk.operations.build import Limits, form_fields, query_for, upload_ms, url_for
from evolution_sdk.operations.operation import TimeoutKind

BASE = "https://api.example.com/prefix"
SEND = OPERATIONS["message.send_text"]
FETCH = OPERATIONS["instance.fetch_instances"]
CONNECT = OPERATIONS["instance.connect_instance"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_travels_as_one_segment(name: str) -> None:
    if name in (".", ".."):
        with pytest.raises(RequestValidationError):
            url_for(BASE, SEND, name)
        return
    url = url_for(BASE, SEND, name)
    assert urlsplit(url).path == url.removeprefix("https://api.example.com")
    assert unquote(url.removeprefix(f"{BASE}/message/sendText/")) == name
    assert "/" not in url.removeprefix(f"{BASE}/message/sendText/")


def test_a_route_without_an_instance_ignores_it() -> None:
    assert url_for(BASE, FETCH, "sales") == f"{BASE}/instance/fetchInstances"


@pytest.mark.parametrize("name", [None, ""])
def test_a_missing_instance_is_a_setting_to_make(name: str | None) -> None:
    with pytest.raises(ConfigurationError, match="EVOLUTION_INSTANCE") as caught:
        url_for(BASE, SEND, name)
    assert caught.value.variable == "EVOLUTION_INSTANCE"


def test_only_documented_query_keys_travel() -> None:
    """Others would overwrite the path after the key was checked (`facts/semantics.md` §1)."""
    with pytest.raises(RequestValidationError, match="instanceName"):
        query_for(CONNECT, {"instanceName": "someone-elses"})
    assert query_for(CONNECT, {"number": None}) == ""
    assert parse_qs(query_for(CONNECT, {"number": "+55 11&x=1"})[1:]) == {"number": ["+55 11&x=1"]}


def test_form_fields_nest_as_the_server_reads_them() -> None:
    body = {"number": "1", "mentioned": ["1", "2"], "quoted": {"key": {"id": "3EB0"}}, "empty": []}
    assert form_fields(body) == (
        ("number", "1"),
        ("mentioned[]", "1"),
        ("mentioned[]", "2"),
        ("quoted[key][id]", "3EB0"),
    )


@pytest.mark.parametrize("value", [1200, True, 1.5, None])
def test_what_is_not_text_cannot_go_with_a_file(value: object) -> None:
    with pytest.raises(RequestValidationError, match="quoted"):
        form_fields({"quoted": {"key": {"fromMe": value}}})


LIMITS = Limits(connect_ms=1, read_ms=10, send_ms=100, media_ms=1_000)


@pytest.mark.parametrize(
    ("kind", "wait"),
    [(TimeoutKind.READ, 10), (TimeoutKind.SEND, 100), (TimeoutKind.MEDIA, 1_000)],
)
def test_the_limit_is_the_kinds_plus_what_the_server_takes(kind: TimeoutKind, wait: int) -> None:
    operation = replace(SEND, timeout=kind, patience_ms=7)
    times = LIMITS.for_call(operation, None, 5_000)
    assert times.connect_ms == 1
    assert times.read_ms == times.write_ms == times.pool_ms == wait + 7 + 5_000


def test_the_callers_limit_replaces_the_kinds_but_not_the_hold() -> None:
    times = LIMITS.for_call(replace(SEND, patience_ms=7), 20, 300)
    assert times.read_ms == 320


def test_uploads_are_given_time_by_their_size() -> None:
    assert upload_ms(None, None) == 0
    assert upload_ms(b"x" * 64_000, None) == 1_000
    assert upload_ms(None, FilePart("a.bin", b"x" * 64_000, "a/b")) == 1_000


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [
        ("2", 2_000),
        (" 1.5 ", 1_500),
        ("0", 0),
        ("-3", 0),
        ("", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e12", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90_000),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
    ],
)
def test_retry_after(header: str, wait_ms: int | None) -> None:
    assert retry_after_ms({"retry-after": header}, NOW.timestamp()) == wait_ms


def test_no_retry_after() -> None:
    assert retry_after_ms({}, 0) is None


@pytest.mark.parametrize("header", ["", "yesterday"])
def test_an_unreadable_server_time_is_none(header: str) -> None:
    assert server_time({"date": header}) is None
    assert server_time({}) is None


def test_the_servers_time() -> None:
    assert server_time({"date": format_datetime(NOW, usegmt=True)}) == NOW.timestamp()


def test_a_download_is_checked() -> None:
    assert downloaded(Response(200, {"content-type": "a/b"}, b"abc"), 3) == (b"abc", "a/b")
    with pytest.raises(RequestValidationError, match="HTTP 404"):
        downloaded(Response(404, {}, b"abc"), 3)
    with pytest.raises(RequestValidationError, match="at most 2"):
        downloaded(Response(200, {}, b"abc"), 2)
