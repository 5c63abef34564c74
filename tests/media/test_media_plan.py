"""plan_media: the form in which a file goes to the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import OPERATIONS
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media import MEDIA_LIMITS, Media, MediaKind
from evolution_sdk.media._plan import (
    MAX_BASE64_BYTES,
    MULTIPART_THRESHOLD_BYTES,
    Base64,
    Download,
    Multipart,
    Url,
    plan_media,
)
from facts import routes

MEDIA_RULES = {key: op.media for key, op in OPERATIONS.items() if op.media is not None}
SEND = MEDIA_RULES["message.send_media"]
IMAGE = Media.from_bytes(b"x", file_name="a.png")
VIDEO = Media.from_bytes(b"x", file_name="a.mp4")
AUDIO = Media.from_bytes(b"x", file_name="a.mp3")
PDF = Media.from_bytes(b"x", file_name="a.pdf")
WEB_IMAGE = Media.from_url("https://h.example/a.png")
WEB_VIDEO = Media.from_url("https://h.example/a.mp4")
NEAR_IMAGE = Media.from_url("http://minio:9000/a.png")
LOCAL_IMAGE = Media.from_url("https://h.example/a.png", fetch="local")
LOCAL_VIDEO = Media.from_url("https://h.example/a.mp4", fetch="local")


def sized(size: int, name: str = "a.pdf") -> Media:
    """A file that is only said to be large."""
    small = Media.from_bytes(b"x", file_name=name)
    return Media(small.file_name, small.mime_type, data=b"x", size=size)


def test_a_url_is_left_to_the_server() -> None:
    plan = plan_media(SEND, WEB_IMAGE, delay_ms=500)
    assert plan.content == Url("https://h.example/a.png")
    assert (plan.field, plan.kind, plan.file_name) == ("media", MediaKind.IMAGE, "a.png")
    assert (plan.mime_type, plan.server_delay_ms, plan.client_delay_ms) == ("image/png", 500, 0)
    assert isinstance(plan_media(SEND, LOCAL_IMAGE, allow_url=False).content, Download)
    with pytest.raises(RequestValidationError, match="fetch='local'"):
        plan_media(SEND, WEB_IMAGE, allow_url=False)


def test_a_url_the_server_cannot_use_is_downloaded_only_when_its_host_was_named() -> None:
    with pytest.raises(RequestValidationError, match=r"host without a dot.*FETCH_HOSTS"):
        plan_media(SEND, NEAR_IMAGE)
    plan = plan_media(SEND, NEAR_IMAGE, fetch_hosts=("minio:9000",))
    assert plan.content == Download("http://minio:9000/a.png")
    again = plan_media(SEND, NEAR_IMAGE.downloaded(b"x"))
    assert isinstance(again.content, Base64)
    assert again.file_name == "a.png"


def test_small_content_goes_as_base64_with_the_servers_delay() -> None:
    plan = plan_media(SEND, IMAGE, delay_ms=1200)
    assert isinstance(plan.content, Base64)
    assert plan.content.text() == "eA=="
    assert (plan.server_delay_ms, plan.client_delay_ms) == (1200, 0)


def test_multipart_paces_here_because_it_cannot_carry_delay(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x")
    plan = plan_media(SEND, Media.from_path(path), delay_ms=1200, prefer="multipart")
    assert isinstance(plan.content, Multipart)
    assert plan.content.part.content == path
    assert plan.content.part.filename == plan.file_name == "a.pdf"
    assert (plan.server_delay_ms, plan.client_delay_ms) == (None, 1200)
    without = plan_media(SEND, Media.from_path(path), prefer="multipart")
    assert (without.server_delay_ms, without.client_delay_ms) == (None, 0)


def test_size_decides_between_base64_and_multipart() -> None:
    def form(size: int, **options: Any) -> type:
        return type(plan_media(SEND, sized(size), **options).content)

    assert MULTIPART_THRESHOLD_BYTES == 64 * 1024
    assert form(MULTIPART_THRESHOLD_BYTES - 1) is Base64
    assert form(MULTIPART_THRESHOLD_BYTES) is Multipart
    assert form(10, multipart_threshold_bytes=10) is Multipart
    assert form(9, multipart_threshold_bytes=10) is Base64
    assert form(1_400_000, delay_ms=1_200) is Base64, "so that typing… is shown"
    assert form(1_500_000, delay_ms=1_200) is Multipart
    assert form(1_400_000, delay_ms=0) is Multipart
    assert form(MULTIPART_THRESHOLD_BYTES + 1, prefer="base64") is Base64
    assert form(MULTIPART_THRESHOLD_BYTES + 1, allow_multipart=False) is Base64
    assert form(1, allow_base64=False) is Multipart
    assert form(MAX_BASE64_BYTES, prefer="base64") is Base64
    assert form(MAX_BASE64_BYTES + 1, prefer="base64") is Multipart
    with pytest.raises(RequestValidationError, match=str(MAX_BASE64_BYTES)):
        form(MAX_BASE64_BYTES + 1, allow_multipart=False)
    with pytest.raises(RequestValidationError, match="any form"):
        form(1, allow_multipart=False, allow_base64=False)


def test_base64_at_the_limit_fits_the_servers_json() -> None:
    assert (MAX_BASE64_BYTES + 2) // 3 * 4 < 136 * 1024 * 1024 - 60_000


@pytest.mark.parametrize("kind", MediaKind)
def test_size_guard_per_kind(kind: MediaKind) -> None:
    name = {"image": "a.png", "video": "a.mp4", "audio": "a.mp3", "document": "a.pdf"}[kind]
    limit = MEDIA_LIMITS[kind]
    assert plan_media(SEND, sized(limit, name))
    with pytest.raises(RequestValidationError, match=f"at most {limit} bytes") as caught:
        plan_media(SEND, sized(limit + 1, name))
    assert caught.value.field == "media"
    assert plan_media(SEND, sized(limit + 1, name), limits={kind: limit + 1})
    with pytest.raises(RequestValidationError):
        plan_media(SEND, sized(6, name), limits={kind: 5})


def test_kind_is_the_operations_the_callers_or_the_files() -> None:
    assert plan_media(SEND, PDF).kind is MediaKind.DOCUMENT
    assert plan_media(SEND, IMAGE, kind="document").kind is MediaKind.DOCUMENT
    assert plan_media(MEDIA_RULES["message.send_ptv"], VIDEO, kind="image").kind is MediaKind.VIDEO
    with pytest.raises(RequestValidationError, match="image, video, audio, document") as caught:
        plan_media(SEND, IMAGE, kind="gif")
    assert caught.value.field == "mediatype"
    unknown = Media.from_url("https://h.example/download?id=7")
    plan = plan_media(SEND, unknown, kind=MediaKind.IMAGE)
    assert (plan.kind, plan.file_name, plan.mime_type) == (MediaKind.IMAGE, "download.jpg", None)


@pytest.mark.parametrize(
    ("operation", "media", "kind"),
    [
        ("message.send_media", PDF, "image"),
        ("message.send_media", IMAGE, "video"),
        ("message.send_media", IMAGE, "audio"),
        ("message.send_ptv", IMAGE, None),
        ("message.send_sticker", VIDEO, None),
        ("message.send_whatsapp_audio", PDF, None),
        ("group.update_group_picture", PDF, None),
    ],
)
def test_content_that_cannot_be_of_that_kind(operation: str, media: Media, kind: Any) -> None:
    with pytest.raises(RequestValidationError, match="content, is") as caught:
        plan_media(MEDIA_RULES[operation], media, kind=kind)
    assert caught.value.field == MEDIA_RULES[operation].field


def test_a_voice_note_may_come_from_a_video() -> None:
    assert plan_media(MEDIA_RULES["message.send_whatsapp_audio"], VIDEO).kind is MediaKind.AUDIO


def test_a_document_url_always_gets_a_name() -> None:
    plan = plan_media(SEND, Media.from_url("https://h.example/reports/7"))
    assert (plan.kind, plan.file_name) == (MediaKind.DOCUMENT, "7.bin")


@pytest.mark.parametrize(
    ("operation", "media", "variants", "expected"),
    [
        # a URL always fails for round videos
        ("message.send_ptv", LOCAL_VIDEO, (), Download),
        ("message.send_ptv", VIDEO, (), Base64),
        ("message.send_ptv", sized(2_000_000, "a.mp4"), (), Multipart),
        # the file part of a sticker is ignored
        ("message.send_sticker", WEB_IMAGE, (), Url),
        ("message.send_sticker", IMAGE, (), Base64),
        ("message.send_sticker", sized(2_000_000, "a.png"), (), Base64),
        ("message.send_sticker", LOCAL_IMAGE, ("unconverted",), Download),
        # voice notes
        ("message.send_whatsapp_audio", sized(2_000_000, "a.mp3"), (), Multipart),
        ("message.send_whatsapp_audio", sized(2_000_000, "a.mp3"), ("unencoded",), Base64),
        ("message.send_whatsapp_audio", AUDIO, ("evolution",), Multipart),
        (
            "message.send_whatsapp_audio",
            Media.from_url("https://h.example/a.mp3", fetch="local"),
            ("evolution",),
            Download,
        ),
        # stories
        ("message.send_status", WEB_IMAGE, (), Url),
        ("message.send_status", WEB_VIDEO, (), Url),
        ("message.send_status", AUDIO, (), Base64),
        # pictures
        ("chat.update_profile_picture", sized(2_000_000, "a.png"), (), Base64),
        ("chat.update_profile_picture", LOCAL_IMAGE, (), Download),
        ("group.update_group_picture", WEB_IMAGE, (), Url),
    ],
)
def test_inputs_that_2_3_6_breaks_on(
    operation: str, media: Media, variants: tuple[str, ...], expected: type
) -> None:
    plan = plan_media(MEDIA_RULES[operation], media, variants=variants)
    assert type(plan.content) is expected
    assert plan.field == MEDIA_RULES[operation].field


@pytest.mark.parametrize("media", [IMAGE, VIDEO, NEAR_IMAGE, PDF])
def test_stories_are_refused_in_the_forms_that_fail(media: Media) -> None:
    rule = "cannot be sent" if media is PDF else "must be a URL"
    with pytest.raises(RequestValidationError, match=rule) as caught:
        plan_media(MEDIA_RULES["message.send_status"], media)
    assert caught.value.field == "content"


def test_contradicting_variants_are_refused() -> None:
    with pytest.raises(RequestValidationError, match="any form"):
        plan_media(
            MEDIA_RULES["message.send_whatsapp_audio"], AUDIO, variants=("unencoded", "evolution")
        )


def test_prefer_is_ignored_where_it_does_not_work() -> None:
    assert isinstance(
        plan_media(MEDIA_RULES["message.send_sticker"], IMAGE, prefer="multipart").content, Base64
    )


def test_plans_show_no_content() -> None:
    for fetch in ("server", "local"):
        url = Media.from_url("https://h.example/a.png?token=s3cret", fetch=fetch)
        assert "s3cret" not in repr(plan_media(SEND, url))
    data = Media.from_bytes(b"s3cret", file_name="a.png")
    assert "s3cret" not in repr(plan_media(SEND, data)) + repr(
        plan_media(SEND, data, prefer="multipart")
    )


def test_the_rules_name_real_operations_and_fields() -> None:
    table = routes()
    for key, rule in MEDIA_RULES.items():
        assert rule.field in {field["name"] for field in table[key]["body"]}
        takes_files = "multipart" in {form.value for form in rule.forms}
        assert table[key]["multipart"] or not takes_files
    assert {key for key, route in table.items() if route["multipart"]} <= set(MEDIA_RULES)


@pytest.mark.parametrize(
    ("operation", "media", "variants"),
    [
        ("message.send_ptv", WEB_VIDEO, ()),
        ("message.send_sticker", WEB_IMAGE, ("unconverted",)),
        ("message.send_whatsapp_audio", Media.from_url("https://h.example/a.mp3"), ("evolution",)),
    ],
)
def test_a_call_that_takes_no_url_fetches_none_unasked(
    operation: str, media: Media, variants: tuple[str, ...]
) -> None:
    with pytest.raises(RequestValidationError, match=r"takes no URL here.*fetch='local'") as caught:
        plan_media(MEDIA_RULES[operation], media, variants=variants)
    assert caught.value.field == MEDIA_RULES[operation].field
    listed = plan_media(
        MEDIA_RULES[operation], media, variants=variants, fetch_hosts=("h.example",)
    )
    assert isinstance(listed.content, Download)


def test_prefer_is_one_of_two_words() -> None:
    with pytest.raises(RequestValidationError, match="'multipart'") as caught:
        plan_media(SEND, IMAGE, prefer="json")  # type: ignore[arg-type]
    assert caught.value.field == "prefer"
