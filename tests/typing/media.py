"""Read by mypy and pyright, never run: what counts as a file."""

from __future__ import annotations

import io
import tempfile
from os import PathLike
from pathlib import Path
from typing import IO, BinaryIO, assert_type

from starlette.datastructures import UploadFile
from werkzeug.datastructures import FileStorage

from evolution_sdk import (
    AsyncEvolutionClient,
    AsyncSentMessage,
    EvolutionClient,
    Media,
    SyncSentMessage,
)
from evolution_sdk.media import BinaryFile, FileLike, UploadedFile, UploadedStream

NUMBER = "5511999999999"


def what_is_taken(
    client: EvolutionClient,
    path: PathLike[str],
    binary: BinaryIO,
    any_binary: IO[bytes],
    flask: FileStorage,
    starlette: UploadFile,
) -> None:
    send = client.messages.send_media
    with Path("a.pdf").open("rb") as opened, tempfile.TemporaryFile() as temporary:
        assert_type(send(NUMBER, opened), SyncSentMessage)
        send(NUMBER, temporary)
        file: BinaryFile = opened
        like: FileLike = file
        send(NUMBER, like)
    with tempfile.SpooledTemporaryFile() as spooled, tempfile.NamedTemporaryFile() as named:
        send(NUMBER, spooled)
        send(NUMBER, named)
    send(NUMBER, io.BytesIO(b"x"))
    send(NUMBER, io.BufferedReader(io.FileIO("a")))
    send(NUMBER, binary)
    send(NUMBER, any_binary)
    send(NUMBER, flask)
    send(NUMBER, starlette)
    send(NUMBER, path)
    send(NUMBER, Path("a.png"))
    send(NUMBER, b"x")
    send(NUMBER, "https://example.com/a.png")
    send(NUMBER, Media.from_url("https://example.com/a.png", fetch="local"))
    upload: UploadedFile = starlette
    stream: UploadedStream = flask
    assert_type(Media.from_file(upload), Media)
    assert_type(Media.from_file(stream, file_name="a.pdf", limit_bytes=1_000), Media)
    client.messages.send_whatsapp_audio(NUMBER, binary)
    client.messages.send_ptv(NUMBER, binary)
    client.messages.send_sticker(NUMBER, binary)
    client.messages.send_status(binary, type="audio", all_contacts=True)
    client.groups.update_picture("120363000000000001@g.us", binary)
    client.chats.update_profile_picture(flask)


def what_is_not_taken(client: EvolutionClient, text: io.StringIO) -> None:
    client.messages.send_media(NUMBER, text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.messages.send_media(NUMBER, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.messages.send_media(NUMBER, 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Media.from_url("https://example.com/a", fetch="client")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def in_async(client: AsyncEvolutionClient, starlette: UploadFile) -> None:
    assert_type(await client.messages.send_media(NUMBER, starlette), AsyncSentMessage)
