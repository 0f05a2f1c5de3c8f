"""Opening a video with FFmpeg, through PyAV, and what it says when it cannot."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from mien.errors import VideoError
from mien.inference.video.kind import is_photo
from mien.inference.video.mp4_index import lacks_index

# What goes wrong is raised or reported; FFmpeg would print it beside that.
logging.getLogger("libav").setLevel(logging.CRITICAL)

# What a file says of itself is not read, so its encoding does not matter; PyAV 19 never minds it.
_ANY_METADATA: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
)


def open_video(
    source: str | Path,
    options: dict[str, str] | None = None,
    timeout: float | None = None,
    name: str | None = None,
    most_pixels: int = 0,
) -> InputContainer:
    """Open a file or a stream that has a moving picture.

    Args:
        source: A path, or the URL of a stream.
        options: What FFmpeg is told.
        timeout: Seconds after which opening and reading fail; None for no limit.
        name: What errors call it, where the URL holds a password; None for `source`.
        most_pixels: Frames that are larger are not decoded while it is opened, and their size stays
            0; 0 for any size. FFmpeg decodes some where the file does not say what they are.

    Raises:
        VideoError: If it is missing, not a video, in an unknown format, or has sound only.
    """
    if isinstance(source, Path):
        _check_file(source)
    try:
        told = {**(options or {}), **({"max_pixels": str(most_pixels)} if most_pixels else {})}
        container: InputContainer = av.open(
            for_ffmpeg(source), options=told, timeout=timeout, **_ANY_METADATA
        )
    except (FFmpegError, OSError, ValueError) as error:
        # FFmpeg's own error holds the whole URL.
        raise VideoError(_unopened(source, name, error)) from (None if name else error)
    if not _moving(container):
        found = "only sound" if container.streams.audio else "no picture"
        container.close()
        raise VideoError(f"{name or source} holds {found}: there is no video to read.")
    if picture_stream(container).codec_context is None:
        container.close()
        raise VideoError(f"{name or source} is in a format that cannot be decoded.")
    return container


def for_ffmpeg(source: str | Path) -> str:
    """Return what FFmpeg is to open; it takes what stands before a name's colon for a protocol."""
    return str(source.absolute()) if isinstance(source, Path) else source


def picture_stream(container: InputContainer) -> VideoStream:
    """Return the first moving picture of what `open_video` opened; a cover is none."""
    return _moving(container)[0]


def reason(error: Exception) -> str:
    """Return what FFmpeg says went wrong, without its number and the file's name."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()).rstrip(".") or type(error).__name__


def _unopened(source: str | Path, name: str | None, error: Exception) -> str:
    if isinstance(source, Path):
        if is_photo(source):
            return f"{source} is a photo, not a video."
        if _lacks_index(source):
            return (
                f"{source} has no index (moov): it was cut short, or is still being written, and "
                "nothing of it can be read."
            )
    return f"{name or source} cannot be opened as a video: {reason(error)}."


def _moving(container: InputContainer) -> list[VideoStream]:
    streams = container.streams.video
    return [s for s in streams if not s.disposition & Disposition.attached_pic]


def _lacks_index(path: Path) -> bool:
    try:
        return lacks_index(path)
    except OSError:  # it may not be read, which FFmpeg has said
        return False


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise VideoError(f"{path} does not exist.") from None
    except OSError as error:
        raise VideoError(f"{path} cannot be read: {reason(error)}.") from error
    if path.is_dir():
        raise VideoError(f"{path} is a folder, not a video.")
    # Reading a device or a pipe could wait for ever.
    if not path.is_file():
        raise VideoError(f"{path} is not a regular file.")
    if size == 0:
        raise VideoError(f"{path} is empty.")
