"""Let one of mien's models read faces for `accuracy.py`: `python accuracy_mien.py MODEL …`."""

from __future__ import annotations

import sys

from accuracy_worker import work

from mien.inference.classifier import Classifier


def main() -> None:
    classifier = Classifier(sys.argv[1])
    heads = {head.name: head.expressions for head in classifier.card.heads}
    work(
        predict=lambda faces: classifier.say(faces, list(heads))[0],
        once=classifier.classify,
        heads=heads,
        about={
            "file_bytes": classifier.path.stat().st_size,
            "macs": classifier.card.macs,
            "sha256": classifier.card.payload_sha256,
        },
    )


if __name__ == "__main__":
    main()
