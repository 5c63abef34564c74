"""Recognition of file types by their first bytes."""

from __future__ import annotations

__all__ = ["LONGEST_FRAME", "type_of_content"]

_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"{\\rtf", "application/rtf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
}
# ISO 11172-3, layer III: kilobits per second by index, for MPEG-1 and for MPEG-2 and 2.5.
_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}

LONGEST_FRAME = 8_192 + 16
"""First bytes needed to recognise a type: a frame of AAC and the head of the next one."""


def type_of_content(head: bytes) -> str | None:
    """Recognise the MIME type by the first bytes; None if they are unknown.

    Args:
        head: The content, or its first ``LONGEST_FRAME`` bytes.

    Returns:
        The type, or None if unknown.
    """
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    # ISO base media (MP4, MOV, HEIC …): the brand tells them apart.
    if head[4:8] == b"ftyp" and len(head) >= 12:
        return _BRANDS.get(head[8:12], "video/mp4")
    # The version and flags of the ID3 tag count, too: three letters alone could be any text.
    if head[:3] == b"ID3" and len(head) >= 10 and head[3] in (2, 3, 4) and head[5] & 0x0F == 0:
        return "audio/mpeg"
    found = next((t for at, mark, t in _MARKS if head[at : at + len(mark)] == mark), None)
    return found or _bare_audio(head)


def _bare_audio(head: bytes) -> str | None:
    """Recognise MP3 and AAC without a tag by two frames in a row: one mark is only two bytes."""
    for mime_type, length in (("audio/mpeg", _mp3_frame), ("audio/aac", _aac_frame)):
        size = length(head)
        if size and length(head[size:]):
            return mime_type
    return None


def _mp3_frame(head: bytes) -> int:
    """Return the length of the layer III frame that begins here, or 0."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, rate, sample = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or not 0 < rate < 15 or sample == 3:
        return 0
    kilobits = (_RATES_1 if version == 3 else _RATES_2)[rate]
    slots = 144 if version == 3 else 72
    return slots * kilobits * 1_000 // _SAMPLES[version][sample] + (head[2] >> 1 & 1)


def _aac_frame(head: bytes) -> int:
    """Return the length of the ADTS frame that begins here, or 0."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size >= 7 else 0
