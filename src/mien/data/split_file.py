"""A split as a small file that can be shared: who else has the dataset can repeat the experiment.

It is JSON: the ids of each part, how the split was made, and fingerprints of the split and of the
images it belongs to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from mien.data.dataset import FaceDataset
from mien.data.division import Division, divided
from mien.data.split import Parts
from mien.data.top_folder import ids_as_in
from mien.errors import DataError
from mien.files import whole_file


class SplitFile(BaseModel):
    """A division of a dataset into named parts.

    Args:
        format: Version of the format.
        dataset: Name of the dataset.
        images: SHA-256 over the ids and images of the faces in the parts, in the order of ids.
        how: How the split was made, one sentence.
        parts: The ids of each part: of the splits "train", "val", "test", or of the folds "0", "1",
            and so on. Each id stands in one part; faces left out stand in none.
        fingerprint: SHA-256 over the parts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    dataset: str
    images: str
    how: str
    parts: dict[str, tuple[str, ...]]
    fingerprint: str

    @classmethod
    def of(cls, dataset: FaceDataset, names: Sequence[str], how: str) -> SplitFile:
        """Return the split that gives each face the part named at its place; "" leaves it out.

        Raises:
            DataError: If all faces are left out.
        """
        if not any(names):
            raise DataError(
                f"The split of dataset {dataset.name!r} has no face in any part: it came without"
                " splits."
            )
        parts: dict[str, list[str]] = {n: [] for n in sorted(set(names) - {""}, key=_place)}
        for name, face in zip(names, dataset.ids.tolist()):
            if name:
                parts[name].append(face)
        frozen = {name: tuple(sorted(ids)) for name, ids in parts.items()}
        return cls(
            dataset=dataset.name,
            images=images_fingerprint(dataset.select(np.array([bool(n) for n in names]))),
            how=how,
            parts=frozen,
            fingerprint=_fingerprint(frozen),
        )

    @classmethod
    def read(cls, path: Path) -> SplitFile:
        """Read a split file.

        Raises:
            DataError: If it cannot be opened, is no split file, or was changed since it was made.
        """
        try:
            split = cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or "its content"
            raise DataError(f"{path} is not a split file: {key}: {first['msg']}.") from error
        except ValueError as error:
            raise DataError(f"{path} is not a split file: it is not JSON ({error}).") from error
        if split.fingerprint != _fingerprint(split.parts):
            raise DataError(f"{path} was changed since it was made: its fingerprint differs.")
        return split

    def write(self, path: Path) -> None:
        """Write the file whole."""
        with whole_file(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    def numbers(self, dataset: FaceDataset) -> Parts:
        """Return the number of each face's part, in the order of `parts`; -1 for one left out.

        A split of an archive is one of the unpacked folder, too, as `ids_as_in` says.

        Raises:
            DataError: If the split is of another dataset, or the images differ.
        """
        called = ids_as_in(chain.from_iterable(self.parts.values()), dataset.ids.tolist())
        places = {name: place for place, name in enumerate(called)}
        numbers = np.full(len(dataset), -1, dtype=np.intp)
        for number, ids in enumerate(self.parts.values()):
            for name in ids:
                if name not in places:
                    raise DataError(
                        f"The split is of another dataset ({self.dataset}), or of faces that were"
                        f" cleaned away since: {dataset.name!r} has no face {name!r}. Split first,"
                        " then clean."
                    )
                numbers[places[name]] = number
        inside = np.flatnonzero(numbers >= 0)
        if self.images != images_fingerprint(dataset.select(inside, ids=np.array(called)[inside])):
            raise DataError(
                f"The split was made for other images than those of dataset {dataset.name!r}: their"
                " fingerprints differ."
            )
        return numbers

    def apply(self, dataset: FaceDataset, fold: int | None = None) -> FaceDataset:
        """Return the dataset with this split; faces that it leaves out are dropped.

        Args:
            dataset: The dataset that the split was made for.
            fold: For a file of folds: the fold that becomes "test", the others become "train".

        Raises:
            DataError: If the file is of another dataset, or `fold` does not go with it.
        """
        names = [*self._names(fold), ""]  # the number of what is in no part is -1
        how = self.how if fold is None else f"{self.how}; fold {fold} is test"
        return divided(dataset, Division([names[n] for n in self.numbers(dataset)], how))

    @property
    def has_folds(self) -> bool:
        """Whether the parts are folds, by number."""
        return all(name.isdecimal() for name in self.parts)

    def _names(self, fold: int | None) -> list[str]:
        if not self.has_folds:
            if fold is not None:
                raise DataError(f"The split has no folds: its parts are {', '.join(self.parts)}.")
            return list(self.parts)
        if fold is None or str(fold) not in self.parts:
            raise DataError(
                f"The split has the folds 0 to {len(self.parts) - 1}; one of them must be chosen as"
                f" test (--fold). Got {fold}."
            )
        return ["test" if name == str(fold) else "train" for name in self.parts]


def _place(name: str) -> tuple[int, str]:
    """Return what parts are sorted by: folds by number, splits by name."""
    return (int(name) if name.isdecimal() else 0, name)


def images_fingerprint(dataset: FaceDataset) -> str:
    """Return the SHA-256 over ids and images, in the order of ids: labels and splits may change."""
    digest = hashlib.sha256(repr(dataset.images.shape).encode())
    for place in np.argsort(dataset.ids, kind="stable"):
        digest.update(f"{dataset.ids[place]}\x1e".encode())
        digest.update(np.ascontiguousarray(dataset.images[place]).data)
    return digest.hexdigest()


def _fingerprint(parts: dict[str, tuple[str, ...]]) -> str:
    text = "\x1d".join("\x1e".join([name, *ids]) for name, ids in parts.items())
    return hashlib.sha256(text.encode()).hexdigest()
