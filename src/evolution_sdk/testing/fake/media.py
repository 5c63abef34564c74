"""Media as the server checks it: base64, URLs, MIME types, sizes."""

from __future__ import annotations

import ipaddress
import re
import struct

from .errors import reading

_TLD = re.compile(
    r"^([a-z\u00a1-\u00a8\u00aa-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]{2,}|xn[a-z0-9-]{2,})$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^[a-z\u00a1-\uffff0-9-]+$", re.IGNORECASE)
_BASE64 = re.compile(r"^[A-Za-z0-9+/]*={0,2}$")
_LONGEST_URL = 2084

# mime-db's answer for the extensions people send; Python's own table differs between systems.
_TYPES = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif",
    "webp": "image/webp", "svg": "image/svg+xml", "bmp": "image/bmp", "heic": "image/heic",
    "mp4": "video/mp4", "mov": "video/quicktime", "avi": "video/x-msvideo", "3gp": "video/3gpp",
    "webm": "video/webm", "mkv": "video/x-matroska", "mpeg": "video/mpeg",
    "mp3": "audio/mpeg", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
    "m4a": "audio/mp4", "wav": "audio/wav", "aac": "audio/x-aac", "amr": "audio/amr",
    "pdf": "application/pdf", "json": "application/json", "zip": "application/zip",
    "xml": "text/xml", "txt": "text/plain", "csv": "text/csv", "html": "text/html",
    "doc": "application/msword", "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}  # fmt: skip
_EXTENSIONS = {
    "image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp", "video/mp4": "mp4",
    "audio/ogg": "oga", "audio/mpeg": "mpga", "audio/mp4": "m4a", "application/pdf": "pdf",
}  # fmt: skip


def is_base64(value: object) -> bool:
    """Check for strict, padded base64 without a data-URI prefix; the empty string passes."""
    return isinstance(value, str) and len(value) % 4 == 0 and _BASE64.match(value) is not None


def is_url(value: object, *, require_tld: bool = True) -> bool:
    """Check for a URL like the npm ``validator``: the protocol is optional, a TLD or an IP is not.

    Args:
        value: The text.
        require_tld: Whether a host without a TLD, such as ``localhost``, is refused.
    """
    if not isinstance(value, str) or not value or re.search(r"[\s<>]", value):
        return False
    if value.startswith("mailto:") or len(value) > _LONGEST_URL:
        return False
    # The validator never looks at query and fragment.
    rest = value.split("#")[0].split("?")[0]
    protocol, separator, after = rest.partition("://")
    if separator:
        if protocol.lower() not in ("http", "https", "ftp"):
            return False
        rest = after
    # Protocol-relative URLs are off by default.
    elif rest.startswith("//"):
        return False
    authority = rest.split("/")[0]
    if "@" in authority:
        user, _, authority = authority.partition("@")
        # An empty user, or more than one colon in the credentials, is refused.
        if not user or user == ":" or user.count(":") > 1:
            return False
    return _is_authority(authority, require_tld)


def _is_authority(authority: str, require_tld: bool) -> bool:
    # IPv6 stands in brackets; a colon elsewhere begins the port.
    bracketed = re.match(r"^\[([^\]]+)\](?::(\d+))?$", authority)
    if bracketed:
        host, port = bracketed.group(1), bracketed.group(2)
        return _is_ip(host, version=6) and _is_port(port)
    host, colon, port = authority.partition(":")
    named = _is_ip(host, version=4) or _is_domain(host, require_tld)
    return _is_port(port if colon else None) and named


def _is_port(port: str | None) -> bool:
    if not port:
        return True
    return port.isascii() and port.isdigit() and 0 < int(port) <= 65_535


def _is_ip(host: str, *, version: int) -> bool:
    try:
        return ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _is_domain(host: str, require_tld: bool) -> bool:
    labels = host.split(".")
    # A last label of digits would be a broken IPv4 address.
    if labels[-1].isdigit() or (require_tld and (len(labels) < 2 or not _TLD.match(labels[-1]))):
        return False
    return all(
        len(label) <= 63 and _LABEL.match(label) and label[0] != "-" and label[-1] != "-"
        for label in labels
    )


def lookup_type(name: object) -> str | None:
    """Return the MIME type for a file name or URL by its extension; None when unknown."""
    if not isinstance(name, str):
        return None
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return _TYPES.get(base.rsplit(".", 1)[-1].lower())


def extension_of(mimetype: object) -> str:
    """Return the extension of a MIME type; "false" when unknown, as the server writes it."""
    plain = mimetype.split(";")[0].strip().lower() if isinstance(mimetype, str) else ""
    return _EXTENSIONS.get(plain, next((e for e, t in _TYPES.items() if t == plain), "false"))


def name_in_url(media: str) -> str:
    """Guess a document's name from its URL, failing as the server does when there is none."""
    found = re.match(r".*/(.+?)\.", media)
    if found is None:
        raise reading("1", "null")
    return found.group(1)


def image_size(content: bytes) -> tuple[int, int]:
    """Read width and height of a PNG or GIF; 1 by 1 for everything else."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    if content[:4] == b"GIF8" and len(content) >= 10:
        width, height = struct.unpack("<HH", content[6:10])
        return int(width), int(height)
    return 1, 1


def is_video(content: bytes) -> bool:
    """Tell if bytes look like a video container."""
    # MP4 and its relatives, then Matroska and AVI, by their first bytes.
    return content[4:8] == b"ftyp" or content[:4] in (b"\x1aE\xdf\xa3", b"RIFF")


def is_audio(content: bytes) -> bool:
    """Tell if bytes look like sound."""
    return (
        # MP3 with a tag, the containers, a bare MPEG frame, then MP4 audio.
        content[:3] == b"ID3"
        or content[:4] in (b"OggS", b"RIFF", b"fLaC")
        or (len(content) > 1 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0)
        or content[4:8] == b"ftyp"
    )
