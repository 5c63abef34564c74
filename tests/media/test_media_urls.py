"""URLs of files: words for wrong ones, who may fetch them, redirects, and named hosts."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk import OPERATIONS
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media import Media
from evolution_sdk.media._plan import Download, Url, plan_media
from evolution_sdk.media.fetching import MOST_REDIRECTS, encoded, host_is_listed, next_url

MEDIA_RULES = {key: op.media for key, op in OPERATIONS.items() if op.media is not None}
SEND = MEDIA_RULES["message.send_media"]
LONG = "https://example.com/"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "empty"),
        ("example.com/a.png", "must begin with http"),
        ("www.example.com/a.png", "must begin with http"),
        ("//cdn.example.com/a.png", "must begin with http"),
        ("htp://example.com/a", "not with htp:"),
        ("ftp://example.com/a", "not with ftp:"),
        ("file:///etc/passwd", "not with file:"),
        ("https//example.com/a", "lacks a part of ://"),
        ("https:/example.com/a", "lacks a part of ://"),
        ("http:example.com", "lacks a part of ://"),
        ("http://", "names a host"),
        ("http:///a.png", "names a host"),
        ("http://?x=1", "names a host"),
        ("http://:80/", "names a host"),
        ("http://h:0/", "port"),
        ("http://h:x/", "port"),
        ("http://h:65536/", "port"),
        ("http://[::1/", "host"),
        ("http://h..example/a", "between its dots"),
        (f"http://{'a' * 64}.example/", "between its dots"),
        ("http://h.example/a b", "without blanks"),
        ("http://h.example/a\nb", "without blanks"),
        ("http://h.example/<a>", "without blanks"),
        ('http://h.example/"a"', "without blanks"),
        ("http://h.example\\@evil.example/", "backslashes"),
        ("http://h.example/\ud800", "without blanks"),
        ("http://user@h.example/", "user name or password"),
        ("http://user:s3cret@h.example/", "user name or password"),
        ("http://h.example:80@evil.example/", "user name or password"),
        ("http://@h.example/", "user name or password"),
        ("data:image/png;base64,aGk=", "must begin with http"),
    ],
)
def test_a_wrong_url_gets_words_that_fit(url: str, words: str) -> None:
    makers = [lambda: Media.from_url(url), lambda: Media("a.png", "image/png", url=url)]
    if not url.startswith("data:"):
        makers.append(lambda: Media.of(url))
    for make in makers:
        with pytest.raises(RequestValidationError, match=words) as caught:
            make()
        assert caught.value.field == "media"
        assert "s3cret" not in str(caught.value)
        if url:
            assert not caught.value.rule.startswith("must be base64")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "http://sub-domain.example.co:8080/a.png?x=1#y",
        "http://8.8.8.8/a.png",
        "http://192.168.1.10:9000/a.png",  # the server may well reach it
        "http://[2001:db8::1]/a.png",
        "https://ma\u00f1ana.example/a.png",
        "http://xn--maana-pta.xn--p1ai/a",
        f"{LONG}{'a' * 2062}",
    ],
)
def test_what_the_server_takes_is_handed_over(url: str) -> None:
    assert plan_media(SEND, Media.from_url(url, mime_type="image/png")).content == Url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/a.png",
        "http://localhost:9000/a.png",
        "http://app.localhost/a.png",
        "http://minio:9000/bucket/a.png",
        "http://my_host.example.com/a.png",
        "http://-a.example.com/a.png",
        "http://host.c0m/a.png",
        "http://example.com./a.png",
        "http://2130706433/a.png",
        "http://0x7f.1/a.png",
        "http://0177.0.0.1/a.png",
        "http://127.1/a.png",
        f"{LONG}{'a' * 2063}",
    ],
)
@pytest.mark.parametrize("fetch", [None, "server"])
def test_what_the_server_surely_refuses_is_refused_here(url: str, fetch: Any) -> None:
    media = Media.from_url(url, mime_type="image/png", fetch=fetch)
    with pytest.raises(RequestValidationError, match="the server takes no URL with") as caught:
        plan_media(SEND, media)
    assert "EVOLUTION_MEDIA_FETCH_HOSTS" in caught.value.rule


@pytest.mark.parametrize(
    ("host", "purpose"),
    [
        ("127.0.0.1:8086", "loopback"),
        ("127.9.9.9", "loopback"),
        ("[::1]", "loopback"),
        ("[::ffff:127.0.0.1]", "loopback"),
        ("[64:ff9b::7f00:1]", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("169.254.1.1", "link-local"),
        ("[fe80::1]", "link-local"),
        ("169.254.169.254", "metadata"),
        ("[fd00:ec2::254]", "metadata"),
        ("127.0.0.\u2460\u2460", "loopback"),  # as a URL parser reads them: 127.0.0.11
        ("0x7f.0.0.\u2460\u2460", "loopback"),
        ("\u2460\u2465\u2468.254.169.\u2461\u2464\u2463", "metadata"),
    ],
)
def test_nobody_hands_over_the_servers_own_machine_by_accident(host: str, purpose: str) -> None:
    url = f"http://{host}/a.png"
    with pytest.raises(RequestValidationError, match=f"is an? {purpose} address.*fetch='server'"):
        plan_media(SEND, Media.of(url))
    assert plan_media(SEND, Media.from_url(url, fetch="server")).content == Url(url)
    assert plan_media(SEND, Media.from_url(url, fetch="local")).content == Download(url)


@pytest.mark.parametrize(
    ("url", "hosts", "listed"),
    [
        ("http://minio:9000/a", ("minio",), True),
        ("http://minio:9000/a", ("minio:9000",), True),
        ("http://MinIO:9000/a", ("minio:9000",), True),
        ("http://minio./a", ("minio",), True),
        ("http://minio/a", ("minio:80",), True),
        ("https://minio/a", ("minio:443",), True),
        ("https://minio/a", ("minio:80",), False),
        ("http://minio:9001/a", ("minio:9000",), False),
        ("http://minio.evil.example/a", ("minio",), False),
        ("http://evil.example/minio", ("minio",), False),
        ("http://[::1]:9000/a", ("[::1]",), True),
        ("http://[::1]:9000/a", ("[::1]:9000",), True),
        ("http://minio/a", (), False),
    ],
)
def test_which_hosts_are_named(url: str, hosts: tuple[str, ...], listed: bool) -> None:
    assert host_is_listed(url, hosts) is listed
    plan: Any = None
    try:
        plan = plan_media(SEND, Media.from_url(url, mime_type="image/png"), fetch_hosts=hosts)
    except RequestValidationError:
        assert not listed
    assert isinstance(plan and plan.content, Download) is listed


def test_a_named_host_is_handed_over_where_only_a_url_works() -> None:
    media = Media.from_url("https://files.example.com/a.png")
    plan = plan_media(MEDIA_RULES["message.send_status"], media, fetch_hosts=("files.example.com",))
    assert plan.content == Url("https://files.example.com/a.png")
    local = Media.from_url("https://files.example.com/a.png", fetch="local")
    with pytest.raises(RequestValidationError, match="must be a URL"):
        plan_media(MEDIA_RULES["message.send_status"], local)


def test_who_fetches_is_one_of_two_words() -> None:
    with pytest.raises(RequestValidationError, match="'local'") as caught:
        Media.from_url("https://h.example/a.png", fetch="client")  # type: ignore[arg-type]
    assert caught.value.field == "fetch"


@pytest.mark.parametrize(
    ("status", "location", "expected"),
    [
        (200, "http://b.example/", None),
        (304, "http://b.example/", None),
        (302, None, None),
        (301, "/x", "http://a.example/x"),
        (302, "x.png?y=1", "http://a.example/p/x.png?y=1"),
        (303, "//b.example/x", "http://b.example/x"),
        (307, "https://b.example/ção", "https://b.example/%C3%A7%C3%A3o"),
        (308, "http://b.example/x#part", "http://b.example/x"),
    ],
)
def test_where_a_redirect_leads(status: int, location: str | None, expected: str | None) -> None:
    headers = {} if location is None else {"location": location}
    assert next_url("http://a.example/p/a.png", status, headers, 0) == expected


@pytest.mark.parametrize(
    ("url", "location", "followed", "words"),
    [
        ("http://a.example/", "/x", MOST_REDIRECTS, "more than 5 times"),
        ("https://a.example/", "http://a.example/", 0, "from https:// to http://"),
        ("http://a.example/", "ftp://b.example/x", 0, "not with ftp:"),
        ("http://a.example/", "file:///etc/passwd", 0, "not with file:"),
        ("http://a.example/", "http://u:p@b.example/", 0, "user name"),
        ("http://a.example/", "http://[::1/", 0, "no URL"),
    ],
)
def test_where_no_redirect_may_lead(url: str, location: str, followed: int, words: str) -> None:
    with pytest.raises(RequestValidationError, match=words):
        next_url(url, 302, {"location": location}, followed)


def test_what_goes_over_the_wire_is_encoded_once() -> None:
    assert encoded("http://h.example/fotos ção/%20.png?q=é&x=1%2F#z".replace(" ", "")) == (
        "http://h.example/fotos%C3%A7%C3%A3o/%20.png?q=%C3%A9&x=1%2F"
    )
