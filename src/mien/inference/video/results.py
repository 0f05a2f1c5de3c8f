"""The rows of videos, gathered in a journal and written as a table when a run ends."""

from __future__ import annotations

from pathlib import Path

from mien.inference.gathered import Gathered, partial_path
from mien.inference.sinks import chosen_form
from mien.inference.video.baseline import check_neutral
from mien.inference.video.journal import VideoJournal, VideoSettings
from mien.inference.video.table import TABLES, Beside


class VideoResults(Gathered[VideoJournal]):
    """Gathers the results of a run over videos and puts them in place when it ends without error.

    Until then they stand in `<out>.partial`, which an interrupted run leaves behind.

    Args:
        out: The file to write.
        settings: What the raw rows depend on.
        beside: What is written beside them.
        form: "csv", "jsonl" or "parquet"; None for the one `out`'s suffix names.
        resume: Whether to carry on an interrupted run with the same settings.

    Raises:
        MienError: If the format is not known, the file cannot be written, or the interrupted run
            had other settings, or there can be no baseline.
        MissingExtraError: If the format is Parquet and pyarrow is not installed.
    """

    def __init__(
        self,
        out: Path,
        settings: VideoSettings,
        beside: Beside,
        form: str | None = None,
        *,
        resume: bool = False,
    ) -> None:
        write = TABLES[chosen_form(out, form, TABLES)]
        if beside.baseline:
            check_neutral(settings.expressions)
        start = VideoJournal.resume if resume else VideoJournal.create
        expressions = settings.expressions

        def put(journal: VideoJournal, path: Path) -> None:
            rows = beside.rows(journal.records, expressions)
            write(rows, beside.columns(expressions), path)

        super().__init__(out, start(partial_path(out), settings), put)
