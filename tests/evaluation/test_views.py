import json

import numpy as np
import pytest
import torch

from mien.errors import MienError
from mien.evaluation.average.views import ManyViews, known_views, views_of
from mien.evaluation.report import evaluate_run
from mien.export.export import export_run
from mien.export.model_card import model_card_page
from mien.inference.classifier import Classifier
from mien.preprocess import Preprocess

FACES = torch.randn(5, 1, 48, 48, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("averaging", ["probabilities", "logits"])
def test_a_flipped_face_reads_as_the_face(small_run, averaging):
    network = ManyViews(small_run.module().network, "flip", averaging).eval()
    with torch.inference_mode():
        features, logits = network.both(FACES)
        mirrored, others = network.both(FACES.flip(3))
        single = small_run.module().network(FACES)["basic7"]
    np.testing.assert_allclose(features, mirrored, atol=1e-5)
    np.testing.assert_allclose(logits["basic7"], others["basic7"], atol=1e-5)
    assert float((logits["basic7"].log_softmax(1) - single.log_softmax(1)).abs().max()) > 1e-3


def test_the_average_is_the_mean_of_the_probabilities(small_run):
    network = small_run.module().network
    with torch.inference_mode():
        wanted = sum(network(view)["basic7"].softmax(1) for view in views_of(FACES, "ten-crop"))
        found = ManyViews(network, "ten-crop").eval()(FACES)["basic7"].softmax(1)
    np.testing.assert_allclose(found, wanted / 10, atol=1e-5)


def test_ten_crops_are_five_places_and_their_mirror_images():
    ramp = torch.arange(48.0).expand(1, 1, 48, 48)
    views = views_of(ramp, "ten-crop")
    assert len(views) == 10
    assert {view.shape for view in views} == {(1, 1, 48, 48)}
    middles = [round(float(view.mean()), 3) for view in views[:5]]
    assert middles == [20.5, 26.5, 20.5, 26.5, 23.5]
    for view, mirror in zip(views[:5], views[5:]):
        assert torch.equal(view.flip(3), mirror)
    assert len(views_of(ramp, "none")) == 1


@pytest.mark.parametrize("views", ["flip", "ten-crop"])
def test_the_exported_file_sees_what_was_measured(small_run, small_dataset, views, tmp_path):
    evaluate_run(small_run, small_dataset)
    plain = (small_run.folder / "report.json").read_text()
    reports = evaluate_run(small_run, small_dataset, views)
    assert (small_run.folder / "report.json").read_text() == plain
    stored = json.loads((small_run.folder / f"report-{views}.json").read_text())
    assert stored[0]["head"]["temperature"] == reports[0].head.temperature
    assert (small_run.folder / "predictions" / f"basic7-{views}.parquet").exists()
    card = export_run(small_run, tmp_path / "x.onnx", views=views)
    assert card.views == views
    assert card.heads == tuple(report.head for report in reports)
    crops = small_dataset.images[:7]
    network = ManyViews(small_run.module().network, views).eval()
    with torch.inference_mode():
        features, logits = network.both(torch.from_numpy(Preprocess().to_input(crops)))
    classifier = Classifier(tmp_path / "x.onnx")
    wanted = (logits["basic7"] / card.head("basic7").temperature).softmax(1)
    np.testing.assert_allclose(classifier.classify(crops, "basic7"), wanted, atol=1e-4)
    np.testing.assert_allclose(classifier.features(crops), features, atol=1e-4)
    assert "times" in model_card_page(card) or "twice" in model_card_page(card)


def test_views_that_were_not_measured_or_do_not_exist_are_one_sentence(small_run, tmp_path):
    (small_run.folder / "report-flip.json").unlink(missing_ok=True)
    with pytest.raises(MienError, match=r"has no report-flip\.json: measure it first, with"):
        export_run(small_run, tmp_path / "x.onnx", views="flip")
    with pytest.raises(MienError, match="Unknown test-time augmentation 'flop': did you mean"):
        known_views("flop")
