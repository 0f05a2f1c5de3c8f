"""A recording of a live session: its frames, marked, as H.264."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType

from mien.errors import MienError, VideoError
from mien.inference.video.encoding import VideoWriter
from mien.preprocess import Image


class Recorder:
    """Writes frames into a video; it is whole when the recorder is closed. A context manager.

    Args:
        path: A new .mp4 or .mkv. An .mkv can be played even if the program is killed.

    Attributes:
        whole: Whether it was closed and holds every frame.

    Raises:
        MienError: If the file is there already, or has another suffix.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in (".mp4", ".mkv"):
            raise MienError(f"{path} must end in .mp4 or .mkv to hold a recording.")
        if path.exists():
            raise MienError(f"{path} is there already: name a new file for the recording.")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.whole = False
        self._path = path
        self._writer: VideoWriter | None = None
        self._later = 0.0
        self._failed = False

    def write(self, picture: Image, time: float) -> None:
        """Write a frame, uint8 (H, W, 3) RGB, shown at a time in seconds.

        If the first frame's time is below 0, all are shown later by so much.

        Raises:
            VideoError: If it cannot be written.
        """
        if self._writer is None:
            size = picture.shape[1], picture.shape[0]
            self._writer = VideoWriter(self._path, size, rate=0)
            # An MP4 cannot say that a frame is shown before 0.
            self._later = max(0.0, -time)
        try:
            self._writer.write(picture, time + self._later)
        except VideoError:
            self._failed = True
            raise

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is None:
            return
        # What could not be written fails again when it is closed: that has been said.
        with suppress(VideoError) if self._failed else nullcontext():
            # An interrupted session's recording is to be whole, too.
            self._writer.__exit__(None, None, None)
        self.whole = not self._failed
