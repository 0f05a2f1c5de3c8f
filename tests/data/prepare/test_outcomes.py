"""What a journal holds, read back: the faces in one array, in the order of the pictures."""

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import makers
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.outcomes import Outcomes
from mien.data.prepare.run import list_pictures, prepare, prepared_dataset
from mien.data.prepare.settings import Preparation
from mien.inference.journal import Journal

SIZE = 6


def outcome(name, status):
    if status != "ok":
        return Outcome(name, status, note="why")
    generator = np.random.default_rng(int(name))
    face = generator.integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    return Outcome(name, "ok", face, 2, (1.0, 2.0, 3.0, 4.0), rotation=1.5)


@given(
    st.dictionaries(
        st.integers(0, 99).map(str), st.sampled_from(["ok", "no face", "unreadable"]), min_size=1
    ),
    st.data(),
)
def test_what_was_written_is_read_in_the_order_of_the_pictures(tmp_path_factory, statuses, data):
    folder = tmp_path_factory.mktemp("journal")
    made = {name: outcome(name, status) for name, status in statuses.items()}
    with Journal.create(folder / "j", Preparation()) as journal:
        for one in made.values():
            journal.write(one.record())
        # Of a run that is carried on some pictures may be gone.
        ids = data.draw(st.lists(st.sampled_from(sorted(made)), unique=True))
        found = Outcomes.read(journal, ids, SIZE)
    assert [one.id for one in found] == ids
    with_face = [name for name in ids if statuses[name] == "ok"]
    assert found.faces.shape == (len(with_face), SIZE, SIZE)
    for name, face in zip(with_face, found.faces):
        np.testing.assert_array_equal(face, made[name].face)
    for one in found:
        assert (one.face is None) == (made[one.id].face is None)
        if one.face is not None:
            np.testing.assert_array_equal(one.face, made[one.id].face)
            assert np.shares_memory(one.face, found.faces)
        rest = [vars(dataclasses.replace(o, face=None)) for o in (one, made[one.id])]
        assert rest[0] == rest[1]


def test_the_dataset_takes_the_faces_and_copies_none(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / "faces" / ("happy", "sad")[number % 2] / f"{number}.png"
        makers.write_photo(path, makers.drawn_face(number, generator))
    broken = tmp_path / "faces" / "happy" / "2.png"
    broken.write_bytes(b"broken")
    raw, settings = list_pictures(tmp_path / "faces"), Preparation(detector="none")
    with prepare(raw, settings, tmp_path / "out") as outcomes:
        dataset = prepared_dataset(raw, outcomes, settings)
    assert dataset.images is outcomes.faces
    assert dataset.ids.tolist() == [o.id for o in outcomes if o.status == "ok"]
    assert len(dataset) == 5
