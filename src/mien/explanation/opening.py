"""From the name of a model, a file or a run to one of its outputs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mien.explanation.output import Output
from mien.inference.classifier import Classifier


def open_output(model: str, head: str | None = None) -> Output:
    """Return an output of a shipped model, an exported file or a run.

    A run is exported first, into a file that is gone afterwards: what is explained is what would be
    used. That needs the extra [train].

    Args:
        model: A shipped model's name, an ONNX file, or a run's folder.
        head: The output; None for the first.

    Raises:
        MienError: If there is none, or the run was not trained to its end.
        ModelError: If the file cannot be used, or has no such output.
    """
    if not Path(model).is_dir():
        return Output.of(Classifier(model), head)
    from mien.export.export import export_run
    from mien.training.run import Run

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.onnx"
        export_run(Run(Path(model)), path)
        return Output.of(Classifier(path), head, source=model)
