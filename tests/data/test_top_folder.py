"""Files made of an archive of a folder, applied to the folder, and the other way round."""

import dataclasses
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import makers
from mien.data.audit import audit
from mien.data.audit.report import read_findings, write_report
from mien.data.balance import combine
from mien.data.clean import clean
from mien.data.readers import read_dataset
from mien.data.split_file import SplitFile
from mien.data.top_folder import ids_as_in
from mien.errors import DataError

PATHS = st.lists(
    st.builds("/".join, st.lists(st.sampled_from(["x", "y", "z.png"]), min_size=1, max_size=3)),
    unique=True,
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize(
    ("names", "ids", "wanted"),
    [
        (["t/a/1"], ["a/1", "b/2"], ["t/a/1", "t/b/2"]),
        (["a/1"], ["t/a/1", "t/b/2"], ["a/1", "b/2"]),
        (["t/a/1", "u/b/2"], ["a/1", "b/2"], None),  # two folders
        (["a/1"], ["t/a/1", "u/b/2"], None),  # as combined datasets have them
        (["s/t/a/1"], ["a/1"], None),  # more than one
        (["t/a/1", "t/c/3"], ["a/1", "b/2"], None),  # names what is not there
        (["a/1", "t/b/2"], ["a/1", "b/2"], None),  # one is known as it is
        (["t/a/1"], ["u/a/1"], None),  # another folder
        (["1"], ["t/1", "t/2"], ["1", "2"]),
        ([], ["t/1"], None),
        (["fer-1"], ["fer-2"], None),
    ],
)
def test_one_folder_more_or_less_makes_no_difference(names, ids, wanted):
    assert ids_as_in(names, ids) == (ids if wanted is None else wanted)


@given(PATHS, st.data())
def test_whatever_the_paths_are_the_names_are_found(ids, data):
    names = data.draw(st.sets(st.sampled_from(ids), min_size=1))
    inside = [f"top/{name}" for name in ids]
    assert ids_as_in({f"top/{name}" for name in names}, ids) == inside
    assert ids_as_in(names, inside) == ids
    assert ids_as_in(names, ids) == ids


@pytest.fixture
def both(tmp_path):
    """A dataset of an archive as of CK+48, and the same of the unpacked folder."""
    top = tmp_path / "CK+48"
    for number in range(12):
        name = f"S{number // 2:03d}_001_{number:08d}.png"
        face = makers.drawn_face(number % 2, np.random.default_rng(number // 4))
        makers.write_photo(top / ("anger", "happy")[number % 2] / name, face)
    archive = shutil.make_archive(str(top), "zip", tmp_path, "CK+48")
    found = read_dataset(archive), read_dataset(top)
    assert found[0].ids[0] == f"CK+48/{found[1].ids[0]}"
    return found


@pytest.mark.parametrize("order", [1, -1])
def test_a_split_of_one_is_a_split_of_the_other(both, order, tmp_path):
    one, other = both[::order]
    names = ["train", "test", ""] * 4
    SplitFile.of(one, names, "by hand").write(tmp_path / "split.json")
    split = SplitFile.read(tmp_path / "split.json")
    applied = split.apply(other)
    assert applied.splits.tolist() == [name for name in names if name]
    assert applied.ids.tolist() == [i for i, n in zip(other.ids.tolist(), names) if n]
    np.testing.assert_array_equal(applied.images, split.apply(one).images)
    swapped = dataclasses.replace(other, images=other.images[::-1])
    with pytest.raises(DataError, match="was made for other images"):
        split.apply(swapped)
    with pytest.raises(DataError, match="is of another dataset"):
        split.apply(other.select(np.arange(1, 12)))


@pytest.mark.parametrize("order", [1, -1])
def test_findings_of_one_clean_the_other(both, order, tmp_path):
    one, other = both[::order]
    write_report(one, audit(one, ["identical"]), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    cleaned = clean(other, rows, ["identical"])
    assert len(cleaned) == 6
    np.testing.assert_array_equal(cleaned.images, clean(one, rows, ["identical"]).images)
    assert set(cleaned.ids) <= set(other.ids)
    with pytest.raises(DataError, match="another than when it was audited, h"):
        clean(dataclasses.replace(other, images=255 - other.images), rows, ["identical"])


def test_a_split_of_one_dataset_is_none_of_several_combined(both):
    one, _ = both
    together = combine("both", [one, one.renamed("again")])
    with pytest.raises(DataError, match="is of another dataset"):
        SplitFile.of(one, ["train", "test"] * 6, "by hand").apply(together)
