import json
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from mien.card import METADATA_KEY, ModelCard
from mien.data.prepare.settings import PREPARED, Preparation
from mien.errors import MienError, ModelError
from mien.evaluation.average.averaging import AveragedNetwork
from mien.evaluation.report import evaluate_run
from mien.export.export import export_run
from mien.export.model_card import model_card_page
from mien.export.onnx import write_onnx
from mien.inference.classifier import Classifier
from mien.models.cost import count_macs
from mien.training.run import Run


@pytest.fixture(scope="module")
def exported(small_run, small_dataset, tmp_path_factory):
    evaluate_run(small_run, small_dataset)
    path = tmp_path_factory.mktemp("export") / "small.onnx"
    return path, export_run(small_run, path, name="small")


def test_the_file_is_valid_onnx_and_carries_its_card(exported):
    path, card = exported
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    stored = session.get_modelmeta().custom_metadata_map[METADATA_KEY]
    assert ModelCard.model_validate_json(stored) == card
    assert [o.name for o in session.get_outputs()] == [
        *("ferplus8", "basic7", "agreement", "not_a_face", "features"),
    ]


def test_the_card_says_what_it_was_made_of(exported, small_run, small_dataset):
    _, card = exported
    assert card.data_fingerprint == small_dataset.fingerprint
    assert 'name = "mien-se-resnet"' in card.recipe
    assert {(f.head, f.subset) for f in card.figures if f.metric == "accuracy"} == {
        (head, subset)
        for head in ("ferplus8", "basic7")
        for subset in ("all", "without leaked", "among four")
    }
    assert {f.head for f in card.figures} >= {"doubt", "agreement"}
    assert card.head("ferplus8").temperature > 0
    assert card.parameters == sum(p.numel() for p in small_run.module().network.parameters())


def test_onnx_computes_what_torch_does_in_any_batch(exported, small_run, small_dataset):
    path, card = exported
    classifier = Classifier(path)
    network = small_run.module().network
    for count in (1, 2, 65):
        crops = np.resize(small_dataset.images, (count, 48, 48))
        with torch.inference_mode():
            outputs = network(torch.from_numpy(card.preprocess.to_input(crops)))
        for head in card.heads:
            wanted = torch.softmax(outputs[head.name].double() / head.temperature, 1).numpy()
            np.testing.assert_allclose(classifier.classify(crops, head.name), wanted, atol=1e-5)


def test_features_are_what_the_outputs_are_computed_from(exported, small_run, small_dataset):
    path, card = exported
    network = small_run.module().network
    for count in (0, 1, 65):
        crops = np.resize(small_dataset.images, (count, 48, 48))
        features = Classifier(path).features(crops)
        assert features.dtype == np.float32
        assert features.shape == (count, network.heads.width)
        with torch.inference_mode():
            wanted = network.features(torch.from_numpy(card.preprocess.to_input(crops)))
        np.testing.assert_allclose(features, wanted, atol=1e-5)


def test_no_path_of_the_exporting_machine_is_inside(exported):
    content = exported[0].read_bytes()
    assert b"site-packages" not in content
    assert b".py" not in content


def test_macs_are_the_hand_computed_ones():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1, bias=False))
    assert count_macs(network, 10) == 4 * 9 * 100


def test_a_network_that_exports_wrongly_is_refused(exported, tmp_path):
    class Noisy(AveragedNetwork):
        def both(self, images):
            # Traced as a constant, so the file cannot follow what torch computes next time.
            self.calls = getattr(self, "calls", 0) + 1
            logits = images.flatten(1)[:, :8] + 0.5 * float(self.calls)
            signals = {"agreement": logits[:, :1], "not_a_face": logits[:, :1]}
            return logits, {"ferplus8": logits, "basic7": logits[:, :7], **signals}

    with pytest.raises(ModelError, match="differ from torch's by"):
        write_onnx(Noisy(), exported[1], tmp_path / "noisy.onnx")
    assert not list(tmp_path.iterdir())


def test_a_run_is_evaluated_before_it_is_exported(small_run, tmp_path):
    with pytest.raises(MienError, match=r"has no report\.json: it was not measured; mien train"):
        export_run(_without_report(small_run, tmp_path), tmp_path / "x.onnx")


def _without_report(run, folder):
    import shutil

    shutil.copytree(run.folder, folder / "run", ignore=shutil.ignore_patterns("report.json"))
    return Run(folder / "run")


def test_the_card_says_what_was_done_to_faces_and_is_not_to_photos(small_run, tmp_path):
    shutil.copytree(small_run.folder, tmp_path / "run")
    file = tmp_path / "run" / "data.json"
    data = json.loads(file.read_text())
    summary = Preparation(illumination="clahe", level_eyes=True).summary
    data["history"].append(f"{PREPARED}{summary}): 8 faces")
    file.write_text(json.dumps(data))
    card = export_run(Run(tmp_path / "run"), tmp_path / "x.onnx", description="Mine.")
    assert card.description == (
        "Mine. Trained on faces prepared with illumination clahe and eyes level: photos given to"
        " this model are not treated so"
    )


@pytest.mark.parametrize("content", ['{"not": "a report"}', '[{"head": {}, "figures": []}]'])
def test_a_damaged_report_is_one_sentence(small_run, tmp_path, content):
    run = _without_report(small_run, tmp_path)
    (run.folder / "report.json").write_text(content)
    with pytest.raises(MienError, match=r"is not what mien train wrote: measure the run again"):
        export_run(run, tmp_path / "x.onnx")


def test_the_page_shows_every_figure(exported):
    page = model_card_page(exported[1])
    for figure in exported[1].figures:
        assert f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]" in page
    assert "not what the person feels" in page
    assert 'A reading says "uncertain" if its leading expression' in page


def test_a_card_says_when_there_was_no_test(exported):
    card = exported[1]
    on_val = [figure.model_copy(update={"split": "val"}) for figure in card.figures]
    page = model_card_page(card.model_copy(update={"figures": tuple(on_val)}))
    assert "there was no test" in page
    assert "Measured on the split `test`" not in page
    assert "Measured on the split `test`" in model_card_page(card)


def test_a_card_without_figures_says_so(exported):
    card = exported[1].model_copy(update={"figures": ()})
    page = model_card_page(card)
    assert "## Figures\n\nNone were measured." in page
    assert "Measured on" not in page
    other = exported[1].figures[0].model_copy(update={"split": "all", "dataset": "ckplus"})
    page = model_card_page(card.model_copy(update={"figures": (other,)}))
    assert "Nothing was measured on fer2013 itself" in page
