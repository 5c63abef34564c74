"""Multipart forms as multer reads them: every part is text, but for one file called ``file``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message

from .errors import ErrorThrown
from .js import JsonObject, NodeBuffer, as_list, as_object, collect


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """The file part."""

    filename: str
    mimetype: str
    content: bytes = field(repr=False)

    def as_multer(self) -> JsonObject:
        """Make the object that multer hands to the route, which Business echoes in its answer."""
        return {
            "fieldname": "file",
            "originalname": self.filename,
            "encoding": "7bit",
            "mimetype": self.mimetype,
            "buffer": NodeBuffer(self.content),
            "size": len(self.content),
        }


def parse_multipart(body: bytes, content_type: str) -> tuple[JsonObject, UploadedFile | None]:
    """Split a multipart body.

    Raises:
        ErrorThrown: A file part not called ``file`` or a second one, or a broken body.
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise ErrorThrown("Multipart: Boundary not found")
    # Held in memory as a whole, as the server does: it sets no limit for forms.
    sections = body.split(b"--" + boundary.encode())
    # The preamble, at least one part, and the closing delimiter, which ends in two dashes.
    if len(sections) < 3 or not sections[-1].startswith(b"--"):
        raise ErrorThrown("Unexpected end of form")
    fields: JsonObject = {}
    file: UploadedFile | None = None
    for section in sections[1:-1]:
        head, _, content = section.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        part = _headers(head)
        name = part.get_param("name", header="content-disposition")
        filename = part.get_filename()
        content = content.removesuffix(b"\r\n")
        if filename is None:
            _assign(fields, str(name), content.decode("utf-8", "replace"))
        # The route expects a single file with this name: multer calls every other unexpected.
        elif name != "file" or file is not None:
            raise ErrorThrown("Unexpected file field")
        else:
            file = UploadedFile(filename, part.get_content_type(), content)
    return fields, file


def _headers(head: bytes) -> Message:
    part = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            part[name.strip()] = value.strip()
    return part


def _assign(fields: JsonObject, name: str, value: str) -> None:
    """Set ``a``, ``a[]`` or ``a[b][c]``, as the append-field package does."""
    here, *steps = _steps(name)
    target: JsonObject = fields
    for step in steps:
        # `a[]` appends; anything behind the brackets is dropped.
        if step == "":
            existing = as_list(target.setdefault(here, []))
            if existing is not None:
                existing.append(value)
            return
        child = as_object(target.setdefault(here, {}))
        # A text stands where an object is needed: the later part is dropped.
        if child is None:
            return
        target, here = child, step
    collect(target, here, value)


def _steps(name: str) -> list[str]:
    base, bracket, _ = name.partition("[")
    return [base, *re.findall(r"\[([^\]]*)\]", name)] if bracket else [name]
