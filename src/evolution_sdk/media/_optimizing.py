"""Compression of images and recordings before they are sent, with Pillow and ffmpeg."""

from __future__ import annotations

import io
import shutil
import subprocess
from importlib import import_module
from typing import Any, Final

from evolution_sdk.errors import ConfigurationError, RequestValidationError

__all__ = ["MAX_EDGE_PX", "MAX_PIXELS", "smaller_audio", "smaller_image"]

MAX_EDGE_PX: Final = 1_600
MAX_PIXELS: Final = 64_000_000
"""Limit of pixels to decode, 4 bytes each; a larger image is rejected before decoding."""

_TRANSPARENT: Final = ("RGBA", "LA", "PA", "La", "RGBa")
_DEEP: Final = ("I", "F")
"""First letters of modes with more than 8 bits, which Pillow clips, so that all turns white."""
_FFMPEG_S: Final = 120.0


def smaller_image(data: bytes, max_edge_px: int, quality: int) -> tuple[bytes, str] | None:
    """Scale an image down and encode it again, upright and without the camera's metadata.

    Args:
        data: The image.
        max_edge_px: Longest edge of the result, in pixels.
        quality: Quality of JPEG and WebP, 1 to 95.

    Returns:
        The new content and its type; None if nothing is gained (small images) or too much would be
        lost (animations, more than 8 bits).

    Raises:
        ConfigurationError: Pillow is not installed.
        RequestValidationError: The image cannot be read, or has too many pixels.
    """
    image_module, operations = _pillow("PIL.Image"), _pillow("PIL.ImageOps")
    try:
        with image_module.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise RequestValidationError(
                    "media", f"must have at most {MAX_PIXELS} pixels to be optimized"
                )
            if getattr(opened, "is_animated", False) or opened.mode.startswith(_DEEP):
                return None
            profile = opened.info.get("icc_profile")
            # JPEG can be decoded at a fraction of its size, which saves most of the work.
            opened.draft("RGB", (max_edge_px, max_edge_px))
            # Turned before scaling, because the orientation is lost with the metadata.
            image: Any = operations.exif_transpose(opened)
            image.thumbnail((max_edge_px, max_edge_px), image_module.Resampling.LANCZOS)
            return _packed(image, quality, profile, len(data))
    except (RequestValidationError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - every failure is explained to the caller
        # Pillow raises any exception on damaged files, and a warning may be an error, too.
        raise RequestValidationError(
            "media", f"cannot be read as an image ({type(error).__name__}); send it as it is"
        ) from None


def _packed(image: Any, quality: int, profile: Any, before: int) -> tuple[bytes, str] | None:
    see_through = image.mode in _TRANSPARENT or "transparency" in image.info
    options: dict[str, Any] = {"quality": quality}
    if profile is not None and image.mode != "CMYK":  # a CMYK profile does not fit RGB
        options["icc_profile"] = profile  # without it, the colours of phone photos shift
    if see_through:
        kind, mime_type = "WEBP", "image/webp"
        image = image.convert("RGBA")
    else:
        kind, mime_type = "JPEG", "image/jpeg"
        image = image if image.mode in ("RGB", "L") else image.convert("RGB")
        options |= {"optimize": True, "progressive": True}
    image.info = {}  # EXIF contains the place where a photo was taken
    made = io.BytesIO()
    image.save(made, kind, **options)
    smaller = made.getvalue()
    return (smaller, mime_type) if len(smaller) < before else None


def smaller_audio(data: bytes, bitrate_kbps: int) -> tuple[bytes, str] | None:
    """Convert a recording to one-channel Opus, the format of voice notes.

    Args:
        data: Any recording that ffmpeg can read.
        bitrate_kbps: Bit rate, in kilobits per second.

    Returns:
        The new content and its type; None if nothing is gained.

    Raises:
        ConfigurationError: ``ffmpeg`` is not installed.
        RequestValidationError: The recording cannot be read, or takes too long to convert.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise ConfigurationError(
            "Making audio smaller needs the program ffmpeg on the PATH: install it, or leave "
            "audio=True out. The server converts voice notes itself.",
            variable="PATH",
        )
    # No video track (a cover picture), no metadata (the place of recording), one channel.
    command = [
        program, "-nostdin", "-loglevel", "error", "-i", "pipe:0", "-vn", "-map_metadata", "-1",
        "-ac", "1", "-c:a", "libopus", "-b:a", f"{bitrate_kbps}k", "-f", "ogg", "pipe:1",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - a program found on the PATH, no shell, fixed words
            command, input=data, capture_output=True, timeout=_FFMPEG_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise RequestValidationError(
            "media", f"could not be made smaller within {_FFMPEG_S:.0f} s; send it as it is"
        ) from None
    if done.returncode != 0 or not done.stdout:
        raise RequestValidationError("media", "cannot be read as audio; send it as it is")
    # A recording that is Opus of a low bit rate already would only lose quality.
    smaller = done.stdout
    return (smaller, "audio/ogg") if len(smaller) < len(data) else None


def _pillow(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise ConfigurationError(
            "Making images smaller needs one more package: pip install 'evolutionapi-sdk[pillow]'",
            variable="evolutionapi-sdk[pillow]",
        ) from None
