"""What a server allows and how it works."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import MienError
from mien.processes import usable_cpus

MEGABYTE = 2**20

ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")
"""Sites as browsers name them: a scheme and a host in lower case, perhaps a port; no path."""


HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
"""Names by which browsers ask for a server, without a port."""


@dataclass(frozen=True)
class ServerSettings:
    """Limits and choices of a server.

    Args:
        model: The model that answers unless a request names another: a shipped one or a file.
        detector: The face detector.
        detector_weights: Its weights; None for the usual ones.
        workers: Threads that read pictures; each decodes, finds and classifies on its own.
        waiting: Pictures that may wait; further ones are refused with 429.
        pictures: Most pictures of one request; never more than may wait.
        picture_bytes: Largest body of a request with pictures.
        held_bytes: Largest sum of such bodies at one time; further ones are refused with 429.
        pixels: Largest picture, in pixels.
        decoded_pixels: Most pixels of all pictures that are decoded at one time; others wait. Each
            million takes about 7 MB, up to 20 MB in WebP.
        video_pixels: Largest frame of a video, in square pixels. Decoding, following and marking
            hold many frames at a time: about 140 MB for each megapixel.
        body_seconds: Time for a request's body to arrive, to which each `slowest` bytes that
            arrive add a second.
        slowest: The rate in bytes per second at which a large body must arrive.
        seconds: Time in which pictures must have been read.
        video_bytes: Largest video.
        video_seconds: Longest video, in seconds of its own time.
        video_frames: Most frames that are read of a video; of more, the first ones are.
        job_seconds: Longest time that is spent on a video; what was read in it is kept.
        jobs: Videos that may arrive, wait or be read at once; further ones are refused with 429.
        marked_bytes: Largest marked copy of a video; a larger one is given up.
        kept_seconds: Time after which a video's results are deleted.
        kept_bytes: Most bytes of the results of all videos; of more, the oldest are deleted, but
            never the newest.
        api_key: What clients must send, in visible ASCII characters; empty for nothing.
        origins: Other sites whose pages may use the API from a browser, such as
            `https://app.example`; `*` for all, none by default.
        hosts: Names by which it may be asked, such as `localhost`, without a port; none for any.

    Raises:
        MienError: If a limit is not positive, or no client could ever send the key, an origin or
            a name.
    """

    model: str = "mien-base"
    detector: str = "haar"
    detector_weights: Path | None = None
    workers: int = field(default_factory=usable_cpus)
    waiting: int = 256
    pictures: int = 64
    picture_bytes: int = 64 * MEGABYTE
    held_bytes: int = 512 * MEGABYTE
    pixels: int = 50_000_000
    decoded_pixels: int = 100_000_000
    video_pixels: int = 9_000_000
    body_seconds: float = 30.0
    slowest: int = MEGABYTE // 4
    seconds: float = 60.0
    video_bytes: int = 512 * MEGABYTE
    video_seconds: float = 1800.0
    video_frames: int = 250_000
    job_seconds: float = 3600.0
    jobs: int = 4
    marked_bytes: int = 512 * MEGABYTE
    kept_seconds: float = 900.0
    kept_bytes: int = 1024 * MEGABYTE
    api_key: str = ""
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
                raise MienError(f"The server's {name} must be above 0. Got {value} instead.")
        object.__setattr__(self, "pictures", min(self.pictures, self.waiting))
        self._check_key()
        self._check_origins()
        self._check_hosts()

    def _check_key(self) -> None:
        for place, character in enumerate(self.api_key, start=1):
            if not "!" <= character <= "~":  # the key itself is never shown
                raise MienError(
                    "The server's key must be of visible ASCII characters without blanks, which"
                    f" every client can send. Got another one as character {place}."
                )

    def _check_origins(self) -> None:
        for origin in self.origins:
            if not ORIGIN.fullmatch(origin):
                raise MienError(
                    "An origin must be scheme://host or scheme://host:port in lower case, as"
                    f" browsers name a site, without a path. Got {origin!r}."
                )

    def _check_hosts(self) -> None:
        for host in self.hosts:
            if not HOST.fullmatch(host):
                raise MienError(
                    "A server's name must be in lower case, without a scheme, a port or a path, as"
                    f" in mien.example. Got {host!r}."
                )
