"""What the routes share: models, the pool of threads, jobs, counters."""

from __future__ import annotations

import threading

import cv2
from starlette.concurrency import run_in_threadpool

from mien.apps.api.counters import Counters
from mien.apps.api.decoder import Decoder
from mien.apps.api.jobs import Jobs
from mien.apps.api.pool import PicturePool
from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import ServerSettings
from mien.apps.api.turns import Turns
from mien.card import ModelCard
from mien.errors import MienError, unknown_name
from mien.inference.analyzer import Analyzer
from mien.inference.classifier import Classifier
from mien.inference.zoo import model_path, read_card, read_model, shipped_models


class Service:
    """Everything that lives as long as the server.

    Args:
        settings: Limits and choices.

    Attributes:
        default: The name of the model that answers unless a request names another.
        cards: The models that a request may name: the server's own and the shipped ones.
        ready: Whether new work is taken.

    Raises:
        MienError: If the model or the detector cannot be used.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        # The pool's threads are one per core; OpenCV's own would only get in their way.
        cv2.setNumThreads(1)
        own = self._load(settings.model)
        self.default = own.classifier.card.name
        _check_own(own.classifier)
        shipped = {name: read_card(model_path(name)) for name in shipped_models()}
        self.cards: dict[str, ModelCard] = {**shipped, self.default: own.classifier.card}
        self._analyzers = {self.default: own}
        self._lock = threading.Lock()
        self.counters = Counters()
        self.decoder = Decoder(settings.pixels, settings.decoded_pixels)
        self.pool = PicturePool(settings.workers, settings.waiting, self.decoder)
        self.explaining = Turns(settings.workers, settings.seconds)
        # The last one, as it leaves a folder if another one fails.
        self.jobs = Jobs(settings, self.counters)
        self.ready = True

    async def analyzer(self, model: str | None) -> Analyzer:
        """Return what reads with a model; only names are taken, no paths.

        Raises:
            RefusedError: With 404, if there is no such model.
        """
        name = model or self.default
        if name not in self.cards:
            raise RefusedError(404, unknown_name("model", name, self.cards))
        if name in self._analyzers:
            return self._analyzers[name]
        return await run_in_threadpool(self._shipped, name)

    def drain(self) -> None:
        """Take no new videos; what was accepted goes on."""
        self.ready = False
        self.jobs.drain()

    def close(self) -> None:
        """Answer what waits, stop reading videos, delete everything and end; again: nothing."""
        self.drain()
        self.pool.close()
        self.explaining.close()
        self.jobs.close()

    def _shipped(self, name: str) -> Analyzer:
        with self._lock:
            if name not in self._analyzers:
                self._analyzers[name] = self._load(name)
            return self._analyzers[name]

    def _load(self, model: str) -> Analyzer:
        chosen = self.settings
        return Analyzer(model, chosen.detector, None, chosen.detector_weights, threads=1)


def _check_own(own: Classifier) -> None:
    """Check that whoever asks for a shipped model by its name is not answered by another."""
    name = own.card.name
    if name in shipped_models() and read_model(model_path(name))[2] != own.sha256:
        raise MienError(
            f"The model {own.path} is called {name}, as another that ships with mien: export it"
            " with another --name."
        )
