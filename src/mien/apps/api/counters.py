"""What the server counts, for Prometheus; nothing of what pictures show."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Counters:
    """Counters of one server, in a registry of their own.

    Attributes:
        registry: Where Prometheus reads them.
        requests: Answers, by route and status.
        seconds: Times from a request to its answer, by route.
        pictures: Pictures that were read, by outcome.
        faces: Faces that were read or explained, those of each frame of a video.
        waiting: Pictures that wait.
        videos: Videos that are not forgotten, by status.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mien_requests", "Answers", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "mien_request_seconds",
            "Time from a request to its answer",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.pictures = Counter(
            "mien_pictures", "Pictures read", ["status"], registry=self.registry
        )
        self.faces = Counter("mien_faces", "Faces read", registry=self.registry)
        self.waiting = Gauge("mien_waiting_pictures", "Pictures waiting", registry=self.registry)
        self.videos = Gauge("mien_videos", "Videos", ["status"], registry=self.registry)
