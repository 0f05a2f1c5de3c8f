"""Parquet: the library that reads it, which is an extra, and pictures that lie in its rows."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mien.data.tree import TreeFile
from mien.errors import DataError, MienError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa


def pyarrow_parquet(feature: str) -> Any:
    """Return the module `pyarrow.parquet`.

    Args:
        feature: What needs it, for the error.

    Raises:
        MissingExtraError: If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(feature, "parquet") from error
    return pyarrow.parquet


@contextmanager
def parquet_file(path: Path, feature: str = "Reading Parquet") -> Iterator[Any]:
    """Open a Parquet file: give a `pyarrow.parquet.ParquetFile`, whose footer is read.

    Args:
        path: The file.
        feature: What needs it, for the error.

    Raises:
        MissingExtraError: If pyarrow is not installed.
        DataError: If the file is not Parquet, or is damaged.
    """
    parquet = pyarrow_parquet(feature)
    import pyarrow

    try:
        # pyarrow takes files by any name, but paths in UTF-8 only.
        with path.open("rb") as file:
            yield parquet.ParquetFile(file)
    except MienError:
        raise
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}.") from error


@dataclass(frozen=True)
class RowPicture(TreeFile):
    """A picture in a row of a Parquet file.

    Args:
        column: The column with the pictures: binary, or a struct with a binary `bytes`.
        group: The row group.
        row: The position in the group, from 0.
    """

    column: str = ""
    group: int = 0
    row: int = 0

    def open(self) -> IO[bytes]:
        """Open the picture's content for reading.

        Raises:
            OSError: If the file cannot be read, or the row holds no picture.
        """
        state = self.place.stat()
        changed, size = state.st_mtime_ns, state.st_size
        try:
            pictures = _pictures(self.place, changed, size, self.column, self.group)
        except DataError as error:
            raise OSError(errno.EIO, str(error)) from error
        content = pictures[self.row].as_py()
        if self.row == len(pictures) - 1:  # who reads in order is done with the group
            _pictures.cache_clear()
        if not content:
            raise OSError(errno.ENODATA, "the row holds no picture")
        return io.BytesIO(content)


@lru_cache(maxsize=1)
def _pictures(path: Path, changed: int, size: int, column: str, group: int) -> pa.ChunkedArray:
    """Read the pictures of a row group: who asks for one asks for the next."""
    import pyarrow as pa
    import pyarrow.compute

    with parquet_file(path) as file:
        cells = file.read_row_group(group, columns=[column])[column]
    return pyarrow.compute.struct_field(cells, "bytes") if pa.types.is_struct(cells.type) else cells
