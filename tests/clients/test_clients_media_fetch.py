"""Nothing is fetched from here unless the caller said so by name; then by the rules."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk import EvolutionConfig, Media
from evolution_sdk._base.request import Response
from evolution_sdk.errors import EvolutionError, RequestValidationError
from evolution_sdk.models import Button
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.transport.fetching import Fetch

from .conftest import KEY, URL, Kit
from .fake_stage import JID, NUMBER, Stage, spy_on

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256))
OGG = b"OggS" + bytes(100)
GROUP = "120363000000000001@g.us"


class Web:
    """The rest of the world: what is fetched from it is noted."""

    def __init__(self, colour: str, *answers: Response) -> None:
        self.colour = colour
        self.answers = list(answers)
        self.asked: list[Fetch] = []

    def get(self, fetch: Fetch) -> Any:
        self.asked.append(fetch)
        answer = self.answers.pop(0) if self.answers else Response(200, {}, PNG)
        return self._later(answer) if self.colour == "async" else answer

    async def _later(self, answer: Response) -> Response:
        return answer


def web_of(client: Any, kit: Kit, *answers: Response) -> Web:
    web = client._pipeline.fetching.fetcher = Web(kit.colour, *answers)
    return web


def naming(*hosts: str) -> EvolutionConfig:
    return EvolutionConfig(URL, KEY, media={"fetch_hosts": hosts})


def moved(to: str) -> Response:
    return Response(302, {"location": to}, b"")


CALLS: dict[str, Any] = {
    "media": lambda c, value: c.messages.send_media(NUMBER, value),
    "audio": lambda c, value: c.messages.send_whatsapp_audio(NUMBER, value),
    "video": lambda c, value: c.messages.send_ptv(NUMBER, value),
    "sticker": lambda c, value: c.messages.send_sticker(NUMBER, value),
    "content": lambda c, value: c.messages.send_status(
        value, type="audio", status_jid_list=[JID]
    ),
    "thumbnail_url": lambda c, value: c.messages.send_buttons(
        NUMBER, title="t", buttons=[Button(display_text="a", id="1")], thumbnail_url=value
    ),
    "image": lambda c, value: c.groups.update_picture(GROUP, value),
    "picture": lambda c, value: c.chats.update_profile_picture(value),
}  # fmt: skip

# By what an operation takes, its own content and the field of its body.
CONTENT = {"audio": OGG, "content": OGG, "video": MP4}


# Unasked


HOSTILE = st.sampled_from(
    ["http://127.0.0.1:8080/", "http://127.1/", "http://0x7f.1/", "http://2130706433/",
     "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0/",
     "http://169.254.169.254/latest/meta-data/", "http://user@files.example/",
     "http://files.example@127.0.0.1/", "http://minio:9000/a.png", "http://10.0.0.1/a.png",
     "https://files.example/a.png", "HTTP://LOCALHOST/", "http:\\\\127.0.0.1\\", "//127.0.0.1/a",
     "file:///etc/passwd", "gopher://127.0.0.1/", "http://metadata/", "http://a_b.example/x.png",
     "http://files.example./x.png"]
)  # fmt: skip


@given(
    st.sampled_from(sorted(CALLS)),
    st.one_of(HOSTILE, st.builds(str.__add__, HOSTILE, st.text(max_size=20)), st.text()),
)
@example("video", "https://files.example/a.mp4")
@settings(max_examples=examples(150))
def test_no_text_makes_a_request_from_here(argument: str, text: str) -> None:
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales", state="open")
    kit = Kit("sync")
    client = kit.client(stub=False, http_client=fake.http_client())
    web, spy = web_of(client, kit), spy_on(client)
    try:
        CALLS[argument](client, text)
    except EvolutionError as error:
        assert not isinstance(error, RequestValidationError) or error.field in (  # noqa: PT017
            argument, "mediatype", "file_name"
        )  # fmt: skip
    finally:
        client.close()
    assert web.asked == []
    assert all(request.url.startswith(f"{URL}/") for request in spy.requests)


@pytest.mark.parametrize("argument", CALLS)
@pytest.mark.parametrize(
    "url", ["http://localhost:9/a", "http://127.0.0.1:9/a", "http://user@files.example/a"]
)
async def test_urls_that_nobody_vouched_for_are_refused_by_name(
    stage: Stage, argument: str, url: str
) -> None:
    stage.open_instance()
    client = stage.client()
    web = web_of(client, stage.kit)
    with pytest.raises(RequestValidationError) as caught:
        await stage.kit.run(CALLS[argument](client, url))
    assert caught.value.field == argument
    assert (web.asked, stage.arrived) == ([], [])


@pytest.mark.parametrize("argument", CALLS)
@pytest.mark.parametrize(
    "value", [None, 7, 1.5, True, [], {}, object(), "boletos1", "/srv/boletos"]
)
async def test_what_is_no_media_is_refused_by_name(stage: Stage, argument: str, value: Any) -> None:
    stage.open_instance()
    if argument == "thumbnail_url" and value is None:
        pytest.skip("None means no thumbnail")
    with pytest.raises(RequestValidationError) as caught:
        await stage.kit.run(CALLS[argument](stage.client(), value))
    assert caught.value.field == argument
    assert stage.arrived == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"file_name": 7}, "file_name"),
        ({"mimetype": 7}, "mimetype"),
        ({"mimetype": "png"}, "mimetype"),
        ({"mediatype": "gif"}, "mediatype"),
        ({"mediatype": 7}, "mediatype"),
        ({"prefer": "json"}, "prefer"),
        ({"caption": 7}, "caption"),
    ],
)
async def test_wrong_options_of_a_file_are_refused_by_name(
    stage: Stage, options: Any, field: str
) -> None:
    stage.open_instance()
    with pytest.raises(RequestValidationError) as caught:
        await stage.kit.run(stage.client().messages.send_media(NUMBER, PNG, **options))
    assert caught.value.field == field
    assert stage.arrived == []


# Asked for


@pytest.mark.parametrize("argument", CALLS)
async def test_what_is_asked_for_is_fetched_and_goes_as_content(
    stage: Stage, argument: str
) -> None:
    stage.open_instance()
    content = CONTENT.get(argument, PNG)
    client = stage.client()
    web = web_of(client, stage.kit, Response(200, {}, content))
    asked = Media.from_url("https://files.example/file?id=1", fetch="local")
    await settled(stage, lambda: CALLS[argument](client, asked))
    (fetch,) = web.asked
    assert (fetch.url, fetch.trusted) == ("https://files.example/file?id=1", False)
    sent = stage.arrived[-1]
    if sent.is_multipart:
        assert sent.form[1].content == content
    else:
        field = "thumbnailUrl" if argument == "thumbnail_url" else argument
        assert sent.json[field] == base64.b64encode(content).decode()


async def settled(stage: Stage, call: Callable[[], Any]) -> None:
    """Some of these the fake server refuses; by then the file has travelled."""
    try:
        await stage.kit.run(call())
    except RequestValidationError:
        raise
    except EvolutionError:
        assert stage.arrived


@pytest.mark.parametrize("text", [True, False])
async def test_a_named_host_is_fetched_from_without_a_word(stage: Stage, text: bool) -> None:
    stage.open_instance()
    client = stage.client(config=naming("minio:9000"))
    web = web_of(client, stage.kit)
    url = "http://minio:9000/bucket/foto.png"
    media = url if text else Media.from_url(url)
    await stage.kit.run(client.messages.send_media(NUMBER, media))
    assert [(fetch.url, fetch.trusted) for fetch in web.asked] == [(url, True)]
    assert stage.last.json["media"] == base64.b64encode(PNG).decode()
    assert stage.last.json["fileName"] == "foto.png"


async def test_who_is_to_fetch_can_be_said_for_a_named_host_too(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client(config=naming("files.example"))
    web = web_of(client, stage.kit)
    url = "https://files.example/foto.png"
    await stage.kit.run(client.messages.send_media(NUMBER, Media.from_url(url, fetch="server")))
    assert (web.asked, stage.last.json["media"]) == ([], url)


@pytest.mark.parametrize(("kind", "most_mb"), [("image", 16), ("video", 64), ("document", 128)])
async def test_what_is_fetched_fits_into_memory(stage: Stage, kind: Any, most_mb: int) -> None:
    stage.open_instance()
    client = stage.client()
    web = web_of(client, stage.kit)
    asked = Media.from_url("https://files.example/file", fetch="local")
    with suppress(RequestValidationError):  # a picture is no video
        await stage.kit.run(client.messages.send_media(NUMBER, asked, mediatype=kind))
    assert [fetch.limit_bytes for fetch in web.asked] == [most_mb * 1024 * 1024]


# Redirects


async def test_each_step_of_a_redirect_is_judged_by_its_own_host(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client(config=naming("minio"))
    web = web_of(
        client, stage.kit, moved("http://files.example/x"), moved("https://cdn.example/ção"),
        moved("y?z=1"),
    )  # fmt: skip
    await stage.kit.run(client.messages.send_media(NUMBER, "http://minio:9000/a.png"))
    assert [(fetch.url, fetch.trusted) for fetch in web.asked] == [
        ("http://minio:9000/a.png", True),
        ("http://files.example/x", False),
        ("https://cdn.example/%C3%A7%C3%A3o", False),
        ("https://cdn.example/y?z=1", False),
    ]
    assert {fetch.limit_bytes for fetch in web.asked} == {16 * 1024 * 1024}


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([moved("/a")] * 6, "more than 5 times"),
        ([moved("http://files.example/a")], "from https:// to http://"),
        ([moved("file:///etc/passwd")], "redirects to another one"),
        ([moved("https://user@files.example/a")], "user name"),
        ([Response(302, {}, b"")], "HTTP 302"),
        ([Response(404, {}, b"")], "HTTP 404"),
    ],
)
async def test_where_a_redirect_may_not_lead(stage: Stage, steps: Any, words: str) -> None:
    stage.open_instance()
    client = stage.client()
    web = web_of(client, stage.kit, *steps)
    asked = Media.from_url("https://files.example/a.png", fetch="local")
    with pytest.raises(RequestValidationError, match=words) as caught:
        await stage.kit.run(client.messages.send_sticker(NUMBER, asked))
    assert caught.value.field == "sticker"
    assert len(web.asked) == len(steps)
    assert stage.arrived == []


async def test_redirects_share_one_limit_of_time(stage: Stage) -> None:
    stage.open_instance()
    config = EvolutionConfig(URL, KEY, timeout={"media_ms": 5_000, "connect_ms": 900})
    client = stage.client(config=config)
    web = web_of(client, stage.kit, *[moved("/a")] * 3)
    client._pipeline.fetching._monotonic = iter(range(100)).__next__
    asked = Media.from_url("https://files.example/a.png", fetch="local")
    await stage.kit.run(client.messages.send_media(NUMBER, asked))
    assert [fetch.total_ms for fetch in web.asked] == [4_000, 3_000, 2_000, 1_000]
    assert {fetch.connect_ms for fetch in web.asked} == {900}


# Over real sockets


async def test_a_redirect_into_the_own_network_ends_there(stage: Stage) -> None:
    """The inner server is never asked, whatever a trusted one says."""
    heads: list[bytes] = []

    async def outer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        target = f"http://127.0.0.1:{inner_port}/secret".encode()
        writer.write(
            b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: " + target + b"\r\n\r\n"
        )
        writer.close()

    async def inner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.read(1_000))
        writer.close()

    inside = await asyncio.start_server(inner, "127.0.0.1", 0)
    outside = await asyncio.start_server(outer, "127.0.0.1", 0)
    inner_port = inside.sockets[0].getsockname()[1]
    port = outside.sockets[0].getsockname()[1]
    stage.open_instance()
    client = stage.client(config=naming(f"localhost:{port}"))
    call = lambda: client.messages.send_media(NUMBER, f"http://localhost:{port}/a.png")  # noqa: E731
    async with inside, outside:
        with pytest.raises(RequestValidationError, match=r"loopback.*EVOLUTION_MEDIA_FETCH_HOSTS"):
            # The blocking client in a thread: both servers live in this loop.
            await (call() if stage.kit.colour == "async" else asyncio.to_thread(call))
    assert heads == []
    assert stage.arrived == []


# Open files and uploads


@pytest.mark.parametrize("argument", CALLS)
async def test_an_open_file_is_taken_everywhere(
    stage: Stage, argument: str, tmp_path: Path
) -> None:
    stage.open_instance()
    content = CONTENT.get(argument, PNG)
    (tmp_path / "arquivo").write_bytes(content)
    with (tmp_path / "arquivo").open("rb") as file:
        for _ in range(2):  # the same file twice, as to two numbers
            await settled(stage, lambda: CALLS[argument](stage.client(), file))
            sent = stage.arrived[-1]
            if sent.is_multipart:
                assert sent.form[1].content == content
            else:
                assert base64.b64encode(content).decode() in sent.body.decode()


async def test_an_open_file_keeps_its_name(stage: Stage) -> None:
    stage.open_instance()
    upload = io.BytesIO(PNG)
    upload.name = "/srv/uploads/nota fiscal.png"  # type: ignore[attr-defined]
    await stage.kit.run(stage.client().messages.send_media(NUMBER, upload))
    assert stage.last.json["fileName"] == "nota fiscal.png"
    await stage.kit.run(
        stage.client().messages.send_media(NUMBER, upload, file_name="x.pdf", mediatype="document")
    )
    assert stage.last.json["fileName"] == "x.pdf"


async def test_one_open_file_to_many_numbers_at_once(stage: Stage) -> None:
    stage.open_instance()
    client, upload = stage.client(), io.BytesIO(PNG * 9_000)  # several reads each
    numbers = [f"55119876543{n}" for n in range(10, 22)]

    def send(number: str) -> Any:
        return client.messages.send_media(number, upload, mediatype="document")

    if stage.kit.colour == "async":
        await asyncio.gather(*map(send, numbers))
    else:
        with ThreadPoolExecutor(len(numbers)) as pool:
            list(pool.map(send, numbers))
    contents = {seen.form[1].content for seen in stage.sends()}
    assert contents == {PNG * 9_000}
    assert len(stage.sends()) == len(numbers)
