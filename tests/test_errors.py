"""The errors of mien cross the border between processes."""

import copy
import multiprocessing
import pickle

import pytest

from mien import errors

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)
]


def example(kind):
    missing = issubclass(kind, errors.MissingExtraError)
    return kind("Reading videos", "video") if missing else kind("clip.mp4 is empty.")


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_the_same_after_pickling(kind):
    error = example(kind)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert (str(again), again.args) == (str(error), error.args)


def fail(number):
    raise errors.MissingExtraError("Reading videos", "video")


def test_an_error_comes_out_of_a_pool():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.map_async(fail, [0])
        with pytest.raises(errors.MissingExtraError, match="Reading videos needs the extra"):
            result.get(timeout=60)
