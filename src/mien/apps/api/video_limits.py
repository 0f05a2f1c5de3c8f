"""How long and how large a video may be, and how much work."""

from __future__ import annotations

import time
from pathlib import Path

from av.container import InputContainer

from mien.apps.api.settings import MEGABYTE, ServerSettings
from mien.errors import VideoError
from mien.inference.video.container import picture_stream
from mien.inference.video.decoding import length_of_picture
from mien.inference.video.reading import FrameReadings
from mien.inference.video.upright import square_size


class VideoLimits:
    """Checks a video before and while it is worked on; the time for it begins with this object.

    Args:
        settings: The limits.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._until = time.monotonic() + settings.job_seconds

    @property
    def most_pixels(self) -> int:
        """Pixels of a frame beyond which it is not even decoded: a stored one has borders."""
        return 2 * self._settings.video_pixels

    def check_file(self, container: InputContainer) -> None:
        """Check what an open video says of itself.

        Raises:
            VideoError: If it says that it is too large or too long.
        """
        picture = picture_stream(container)
        width, height = picture.codec_context.width, picture.codec_context.height
        if not width or not height:  # as where it was opened with `most_pixels`, and has more
            raise VideoError(
                f"A video may have {self._settings.video_pixels / 1_000_000:g} megapixels."
                " Got more, or a size that it does not tell."
            )
        self._check_size(*square_size(width, height, picture.sample_aspect_ratio))
        length = length_of_picture(container)
        if length is not None:
            self._check_length(length)

    def check_read(self, read: FrameReadings, seconds: float) -> None:
        """Check a frame that was read: no file has to keep to what it says of itself.

        Args:
            read: The frame.
            seconds: Its time after the first frame.

        Raises:
            VideoError: If nothing behind it may be read.
        """
        self._check_size(*read.size)
        self._check_length(seconds)
        most = self._settings.video_frames
        if read.place.index >= most:
            raise VideoError(f"A video may have {most} frames. Got more.")
        self.check_time()

    def check_time(self) -> None:
        """Check how long the video has been worked on.

        Raises:
            VideoError: If that is too long.
        """
        if time.monotonic() > self._until:
            seconds = self._settings.job_seconds
            raise VideoError(f"A video may be worked on for {seconds:g} seconds.")

    def check_copy(self, path: Path) -> None:
        """Check how large a marked copy is so far.

        Args:
            path: Where it will be; until then it is beside, under another name.

        Raises:
            VideoError: If it is too large.
        """
        most = self._settings.marked_bytes
        if sum(file.stat().st_size for file in path.parent.glob(f"*{path.suffix}")) > most:
            raise VideoError(
                f"A marked copy may have {most / MEGABYTE:.3g} megabytes (2^20 bytes). Got more."
            )

    def _check_size(self, width: int, height: int) -> None:
        most = self._settings.video_pixels
        if width * height > most:
            raise VideoError(
                f"A video may have {most / 1_000_000:g} megapixels. Got {width}x{height}."
            )

    def _check_length(self, seconds: float) -> None:
        most = self._settings.video_seconds
        if seconds > most:
            raise VideoError(f"A video may be {most:g} seconds long. Got {seconds:.0f} or more.")
