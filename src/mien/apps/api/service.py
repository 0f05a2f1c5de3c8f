"""What the routes share: models, the pool of threads, jobs, counters."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2

from mien.apps.api.counters import Counters
from mien.apps.api.jobs import Jobs
from mien.apps.api.pool import PicturePool
from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import ServerSettings
from mien.errors import unknown_name
from mien.inference.analyzer import Analyzer
from mien.inference.zoo import shipped_models


class Service:
    """Everything that lives as long as the server.

    Args:
        settings: Limits and choices.

    Attributes:
        default: The name of the model that answers unless a request names another.

    Raises:
        MienError: If the model or the detector cannot be used.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        # The pool's threads are one per core; OpenCV's own would only get in their way.
        cv2.setNumThreads(1)
        first = self._analyzer(settings.model)
        self.default = first.classifier.card.name
        self._analyzers = {self.default: first}
        self._lock = threading.Lock()
        self.counters = Counters()
        self.pool = PicturePool(settings.workers, settings.waiting, settings.pixels)
        self.explaining = ThreadPoolExecutor(1, "explaining")
        self.jobs = Jobs(settings)
        self.ready = True

    @property
    def models(self) -> list[str]:
        """The names a request may give: the server's own model and the shipped ones."""
        return sorted({self.default, *shipped_models()})

    def analyzer(self, model: str | None) -> Analyzer:
        """Return what reads with a model; only names are taken, no paths.

        Raises:
            RefusedError: With 404, if there is no such model.
        """
        name = model or self.default
        if name not in self.models:
            raise RefusedError(404, unknown_name("model", name, self.models))
        with self._lock:
            if name not in self._analyzers:
                self._analyzers[name] = self._analyzer(name)
            return self._analyzers[name]

    def close(self) -> None:
        """Finish what was accepted, then end."""
        self.ready = False
        self.pool.close()
        self.explaining.shutdown()
        self.jobs.close()

    def _analyzer(self, model: str) -> Analyzer:
        chosen = self.settings
        return Analyzer(model, chosen.detector, None, chosen.detector_weights, threads=1)
