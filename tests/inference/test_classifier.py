from __future__ import annotations

import os
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnx.reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import card, graph, with_card, write_model

from mien.errors import ImageError, MienError, ModelError
from mien.inference.classifier import BATCH, Classifier
from mien.inference.zoo import model_path, read_card

CROPS = np.random.default_rng(7).integers(0, 256, (BATCH + 6, 48, 48), np.uint8)


@pytest.fixture(scope="module")
def classifier(tiny_model):
    return Classifier(tiny_model)


def expected(path, head, temperature):
    """What ONNX's own reference implementation answers."""
    session = onnx.reference.ReferenceEvaluator(onnx.load(path))
    inputs = (CROPS.astype(np.float32)[:, None] - 127.5) / 64
    (logits,) = session.run([head], {"input": inputs})
    powers = np.exp(logits.astype(np.float64) / temperature)
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize(("head", "temperature"), [("ferplus8", 1.5), ("basic7", 1.0)])
def test_probabilities_are_those_of_the_reference_implementation(
    classifier, tiny_model, head, temperature
):
    found = classifier.classify(CROPS, head)
    assert found.dtype == np.float64
    assert np.abs(found - expected(tiny_model, head, temperature)).max() < 1e-5
    assert np.allclose(found.sum(1), 1, atol=1e-12)


def test_the_first_head_is_the_default(classifier):
    assert np.array_equal(classifier.classify(CROPS), classifier.classify(CROPS, "ferplus8"))


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1])
def test_any_number_of_faces(classifier, count):
    found = classifier.classify(CROPS[:count])
    assert found.shape == (count, 8)
    assert np.allclose(found, classifier.classify(CROPS)[:count], atol=1e-6)


@given(st.integers(0, len(CROPS) - 1))
def test_a_face_reads_the_same_alone_and_among_others(classifier, index):
    alone = classifier.classify(CROPS[index : index + 1])
    assert np.allclose(alone[0], classifier.classify(CROPS)[index], atol=1e-6)


def test_memory_does_not_grow_with_the_number_of_faces(classifier):
    many = np.zeros((4096, 48, 48), np.uint8)
    classifier.classify(many[:BATCH])
    tracemalloc.start()
    classifier.classify(many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All inputs at once would be 4096 x 48 x 48 x 4 bytes = 38 MB.
    assert peak < 6e6


def test_threads_may_share_a_classifier(classifier):
    alone = [classifier.classify(CROPS[n : n + 5]) for n in range(24)]
    start = threading.Barrier(4)

    def work(n):
        if n < 4:
            start.wait()
        return classifier.classify(CROPS[n : n + 5])

    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(work, range(24)), strict=True):
            assert np.array_equal(one, other)


def test_an_unknown_head_names_the_nearest(classifier):
    with pytest.raises(ModelError, match="'basic8': did you mean 'basic7'"):
        classifier.classify(CROPS, "basic8")


@pytest.mark.parametrize(
    "crops",
    [CROPS.astype(np.float32), CROPS[0], CROPS[:, :40], CROPS[..., None]],
    ids=["float", "one face", "other size", "channels"],
)
def test_other_crops_are_refused(classifier, crops):
    with pytest.raises(ImageError, match=r"must be uint8 \(N, 48, 48\)"):
        classifier.classify(crops)


def test_no_threads_is_an_error(tiny_model):
    with pytest.raises(MienError, match="1 or more"):
        Classifier(tiny_model, threads=0)


def test_the_card_is_read_without_the_model(tiny_model):
    found = read_card(tiny_model)
    assert found.name == "tiny"
    assert found.head("ferplus8").temperature == 1.5
    assert found == Classifier(tiny_model).card


def test_the_file_is_still_an_onnx_file(tiny_model):
    model = onnx.load(tiny_model)
    onnx.checker.check_model(model)
    assert [entry.key for entry in model.metadata_props] == ["mien"]


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"none\.onnx does not exist"):
        Classifier(tmp_path / "none.onnx")


def test_a_folder(tmp_path):
    with pytest.raises(ModelError, match="is a folder"):
        Classifier(tmp_path)


def test_an_unknown_shipped_model():
    with pytest.raises(ModelError, match="Unknown model 'mien-bass'"):
        model_path("mien-bass")


@pytest.mark.parametrize("content", [b"", b"hello\n" * 40, b"\x89PNG\r\n\x1a\n" + bytes(900)])
def test_something_that_is_no_onnx_file(tmp_path, content):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.onnx (is damaged|was not exported by mien)"):
        Classifier(tmp_path / "a.onnx")


def test_a_foreign_model_is_told_what_it_lacks(tmp_path):
    (tmp_path / "a.onnx").write_bytes(graph())
    with pytest.raises(ModelError, match="lacks the metadata entry 'mien'"):
        Classifier(tmp_path / "a.onnx")


def test_a_damaged_byte_anywhere_is_noticed(tmp_path, tiny_model):
    content = bytearray(tiny_model.read_bytes())
    length = read_card(tiny_model).payload_bytes
    for position in np.random.default_rng(1).integers(0, length, 60):
        broken = content.copy()
        broken[position] ^= 1
        (tmp_path / "a.onnx").write_bytes(broken)
        with pytest.raises(ModelError, match=r"a\.onnx"):
            Classifier(tmp_path / "a.onnx")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_short(tmp_path, tiny_model, share):
    content = tiny_model.read_bytes()
    (tmp_path / "a.onnx").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match=r"a\.onnx"):
        Classifier(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{}", "a card this mien cannot read: name: Field required"),
        ("not json", "a card this mien cannot read"),
    ],
)
def test_a_card_that_cannot_be_read(tmp_path, text, complaint):
    (tmp_path / "a.onnx").write_bytes(with_card(graph(), text))
    with pytest.raises(ModelError, match=complaint) as caught:
        Classifier(tmp_path / "a.onnx")
    assert "\n" not in str(caught.value)


def test_a_card_without_a_checksum(tmp_path):
    path = write_model(tmp_path / "a.onnx", payload_sha256="")
    with pytest.raises(ModelError, match="without a checksum"):
        Classifier(path)


def test_a_card_that_promises_another_output(tmp_path):
    payload = graph(outputs=("ferplus8",))
    text = card(payload).model_dump_json()
    (tmp_path / "a.onnx").write_bytes(with_card(payload, text))
    with pytest.raises(ModelError, match="no output 'basic7' with 7 values"):
        Classifier(tmp_path / "a.onnx")


def test_a_graph_onnx_runtime_cannot_load(tmp_path):
    payload = graph().replace(b"GlobalAveragePool", b"GlobalAveragePoof")
    (tmp_path / "a.onnx").write_bytes(with_card(payload, card(payload).model_dump_json()))
    with pytest.raises(ModelError, match="ONNX Runtime cannot load the model") as caught:
        Classifier(tmp_path / "a.onnx")
    assert "\n" not in str(caught.value)


def test_answers_that_are_no_numbers(tmp_path):
    payload = graph()
    nan = np.full(8, 0.1, np.float32).tobytes()
    assert payload.count(nan) == 1
    payload = payload.replace(nan, np.full(8, np.nan, np.float32).tobytes())
    (tmp_path / "a.onnx").write_bytes(with_card(payload, card(payload).model_dump_json()))
    with pytest.raises(ModelError, match="not finite"):
        Classifier(tmp_path / "a.onnx").classify(CROPS)


WATCHED = """
import sys, tempfile
from pathlib import Path
import numpy as np
from mien.inference.classifier import Classifier
Classifier(sys.argv[1]).classify(np.zeros((1, 48, 48), np.uint8))
import time
time.sleep(1)
print(sorted(path.name for path in Path(tempfile.gettempdir()).iterdir()))
"""


def test_onnx_runtime_keeps_no_record_for_its_makers(shipped_base, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, shipped_base],
        env={**environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (ended.stdout.strip(), ended.returncode) == ("[]", 0), ended.stderr
