import numpy as np
import pytest
import torch

from made_results import faces_of
from mien.data.store import write_store
from mien.errors import MienError
from mien.evaluation.model_predictions import file_predictions
from mien.export.quantise import quantise
from mien.inference.classifier import Classifier
from mien.training.source import open_source


@pytest.fixture(scope="module")
def small_int8(small_model, small_dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "small.onnx"
    return path, quantise(small_model, small_dataset, path)


def test_the_file_says_nearly_the_same_and_is_smaller(small_int8, small_model, small_dataset):
    path, card = small_int8
    whole, eight = Classifier(small_model), Classifier(path)
    assert card == eight.card
    assert (card.precision, card.name) == ("int8", whole.card.name)
    assert card.payload_bytes < whole.card.payload_bytes
    for head in whole.card.heads:
        wanted = whole.classify(small_dataset.images, head.name)
        found = eight.classify(small_dataset.images, head.name)
        assert np.abs(wanted - found).mean() < 0.02
        assert (wanted.argmax(1) == found.argmax(1)).mean() > 0.9
    said, had = eight.judge(small_dataset.images), whole.judge(small_dataset.images)
    for name, values in said.signals.items():
        assert np.abs(values - had.signals[name]).mean() < 0.02


def test_its_figures_are_its_own(small_int8, small_dataset):
    path, card = small_int8
    for table in file_predictions(Classifier(path), small_dataset):
        test = table.judged("test")
        accuracy = (test.probabilities.argmax(1) == test.truth).mean()
        (figure,) = (
            f
            for f in card.figures
            if (f.head, f.metric, f.subset) == (table.labels.name, "accuracy", "all")
        )
        assert figure.value == accuracy
    assert {"doubt", "agreement"} <= {f.head for f in card.figures}


def test_its_network_can_be_trained_on(small_int8, small_dataset):
    path, card = small_int8
    network = open_source(str(path)).network
    crops = small_dataset.images[:16]
    with torch.inference_mode():
        logits = network(torch.from_numpy(card.preprocess.to_input(crops)))["basic7"]
    shares = (logits / card.head("basic7").temperature).softmax(1).numpy()
    found = Classifier(path).classify(crops, "basic7")
    assert np.abs(shares - found).mean() < 0.02


def test_twice_or_on_other_data_is_refused(small_int8, small_model, small_dataset, tmp_path):
    with pytest.raises(MienError, match="is in eight bits already"):
        quantise(small_int8[0], small_dataset, tmp_path / "x.onnx")
    with pytest.raises(MienError, match="was trained on other data"):
        quantise(small_model, small_dataset.select(np.arange(60)), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_and_measures(mien, small_model, small_fer2013, tmp_path):
    faces, votes = small_fer2013
    out, page = tmp_path / "eight.onnx", tmp_path / "eight.md"
    given = ["--data", faces, "--votes", votes, "--out", out, "--card", page]
    own = mien("quantise", small_model, *given, "--also", faces)
    assert (own.code, out.exists()) == (2, False)
    assert "the model learns from fer2013" in own.err
    write_store(faces_of("ckplus48", per_class=2), tmp_path / "other")
    done = mien("quantise", small_model, *given, "--name", "eight", "--also", tmp_path / "other")
    assert done.code == 0, done.err
    assert Classifier(out).card.name == "eight"
    assert "never trained or selected on" in page.read_text(encoding="utf-8")
    again = mien("quantise", out, "--data", tmp_path / "nothing.csv", *given[2:])
    assert (again.code, again.out) == (2, "")
    assert "is in eight bits already" in again.err  # before the data are read
