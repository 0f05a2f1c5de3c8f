from __future__ import annotations

import os

import numpy as np
import PIL.Image
import pytest

from full_disk import limited


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_what_was_read_of_photos_is_kept_on_a_full_disk(mien, tiny_model, tmp_path):
    folder, out = tmp_path / "photos", tmp_path / "rows.csv"
    folder.mkdir()
    for number in range(30):
        grey = np.full((40, 60, 3), 40 + number, np.uint8)
        PIL.Image.fromarray(grey).save(folder / f"{number:02}.png")
    command = ("analyze", folder, "--model", tiny_model, "--out", out)
    done = limited(2_000, *command)
    err = " ".join(done.stderr.split())
    assert (done.returncode, "Traceback" in err) == (1, False)
    assert f"Error: {out}.partial: File too large." in err
    assert f"What was read is kept in {out}.partial. The same command with --resume" in err
    assert not out.exists()
    assert mien(*command, "--resume").code == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 31


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_disk_that_is_full_from_the_first_keeps_nothing(tiny_model, tmp_path):
    photo, out = tmp_path / "photo.png", tmp_path / "rows.csv"
    PIL.Image.fromarray(np.full((40, 60, 3), 40, np.uint8)).save(photo)
    done = limited(500, "analyze", photo, "--model", tiny_model, "--out", out)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"Error: {out}.partial: File too large." in " ".join(done.stderr.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.png"]
