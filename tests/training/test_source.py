import dataclasses
import shutil

import numpy as np
import pytest
import torch

from makers import SMALL_RECIPE
from mien.card import Head, ModelCard
from mien.data.dataset import FaceDataset
from mien.errors import MienError, ModelError, RecipeError, TrainingError
from mien.export.onnx import write_onnx
from mien.inference.classifier import Classifier
from mien.inference.detectors import DETECTORS
from mien.inference.pictures import read_picture
from mien.labels import label_set
from mien.models import build_network
from mien.preprocess import Preprocess
from mien.recipe import HeadPart, Recipe, StartPart, find_recipe, load_recipe
from mien.training.run import Run
from mien.training.source import open_source
from mien.training.starting import adapted, measure_folded, pinned, starting_weights
from mien.training.train import train

CROPS = np.random.default_rng(3).integers(0, 256, (16, 48, 48), np.uint8)

SMALL_NETWORKS = [
    ("mien-se-resnet", {"stem": 16, "channels": [16, 32], "blocks": [1, 1]}),
    ("mahastama", {}),
    ("chen", {}),
]


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *overrides])


def faces() -> torch.Tensor:
    return torch.from_numpy(Preprocess().to_input(CROPS))


def exported(network, name, options, path):
    toml = Recipe.model_validate(
        recipe().model_dump()
        | {"network": {"name": name, "options": options}}
        | {"heads": [{"labels": "basic7"}], "signals": []}
    ).model_dump(mode="json", exclude_none=True)
    import tomli_w

    card = ModelCard(
        name=name,
        mien_version="0",
        description="",
        heads=(Head(name="basic7", expressions=label_set("basic7").expressions),),
        preprocess=Preprocess(),
        parameters=0,
        macs=0,
        recipe=tomli_w.dumps(toml),
        data_fingerprint="",
    )
    return write_onnx(network, card, path)


@pytest.mark.parametrize(("name", "options"), SMALL_NETWORKS)
@pytest.mark.parametrize("trained", [False, True])
def test_a_network_comes_back_out_of_its_export(name, options, trained, tmp_path):
    torch.manual_seed(0)
    network = build_network(name, {"basic7": 7}, options).eval()
    if trained:  # fresh ones have equal tensors, which the exporter keeps once
        for values in network.state_dict().values():
            if values.is_floating_point():
                values.copy_(values + 0.01 * torch.randn_like(values))
    exported(network, name, options, tmp_path / "x.onnx")
    source = open_source(str(tmp_path / "x.onnx"))
    with torch.inference_mode():
        wanted, found = network(faces())["basic7"], source.network(faces())["basic7"]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert bool(source.folded) == (name == "mien-se-resnet")


def test_the_shipped_model_can_be_begun_with(shipped_base, portrait):
    source = open_source("mien-base")
    classifier = Classifier(shipped_base)
    picture = read_picture(portrait)
    (face,) = DETECTORS["haar"](None).detect(picture)
    crop = classifier.card.preprocess.crop(picture, face.square)
    crops = np.stack([crop, crop[:, ::-1], np.roll(crop, 2, 1)])
    with torch.inference_mode():
        seen = torch.from_numpy(classifier.card.preprocess.to_input(crops))
        logits = source.network(seen)["ferplus8"] / classifier.card.heads[0].temperature
    # The file computes in eight bits, the network in floating point.
    np.testing.assert_allclose(classifier.classify(crops), logits.softmax(1), atol=0.1)


def test_measured_normalisations_change_nothing_but_training(small_model, small_dataset):
    source = open_source(str(small_model))
    given = torch.from_numpy(source.recipe.preprocess.to_input(small_dataset.images))
    with torch.inference_mode():
        before = source.network(given)["basic7"]
        as_exported = source.network.train()(given)["basic7"]
        source.network.eval()
    fresh = open_source(str(small_model)).network
    measure_folded(fresh, source.folded, small_dataset, source.recipe.preprocess)
    with torch.inference_mode():
        np.testing.assert_allclose(fresh(given)["basic7"], before, atol=1e-4)
        # In training, too: the batch is the very one that was measured.
        in_training = fresh.train()(given)["basic7"]
    np.testing.assert_allclose(in_training, before, atol=1e-3)
    assert float((as_exported - before).abs().max()) > 0.1


def test_a_training_begins_with_the_weights_of_a_run(small_run, small_dataset, tmp_path):
    part = StartPart(source=str(small_run.folder))
    begun = recipe("optimiser.learning_rate=1e-9", "training.epochs=1", "training.ema_decay=0")
    begun = begun.model_copy(update={"start": part})
    run = train(begun, small_dataset, tmp_path / "run", progress=False)
    old, new = small_run.module().state_dict(), run.module().state_dict()
    name = "network.stem.0.weight"
    np.testing.assert_allclose(new[name], old[name], atol=1e-6)
    stored = run.recipe().start
    assert stored is not None
    assert stored.sha256 == open_source(str(small_run.folder)).sha256
    wrong = begun.model_copy(update={"start": part.model_copy(update={"sha256": "0" * 64})})
    with pytest.raises(RecipeError, match=r"start\.source: .* is not the file"):
        pinned(wrong)


def test_another_network_is_one_sentence(small_run, small_dataset, tmp_path):
    start = StartPart(source=str(small_run.folder))
    for number, stem in enumerate(("stem = 8", "stem = 16, channels = [16], blocks = [1]")):
        other = recipe(f"network.options={{{stem}}}".replace("stem = 8", WIDE))
        other = other.model_copy(update={"start": start})
        with pytest.raises(TrainingError, match="are another network's"):
            train(other, small_dataset, tmp_path / str(number), progress=False)
    sees = recipe("preprocess.std=32.0").model_copy(update={"start": start})
    with pytest.raises(RecipeError, match="must be that of the model to begin with, small"):
        starting_weights(sees, small_dataset)


WIDE = "stem = 8, channels = [16, 32], blocks = [1, 1]"


def test_what_is_no_source_is_one_sentence(small_run, small_model, tmp_path):
    with pytest.raises(ModelError, match="Unknown model 'mien-bas': did you mean 'mien-base'"):
        open_source("mien-bas")
    with pytest.raises(MienError, match=r"is not a run: it holds no recipe\.toml"):
        open_source(str(tmp_path))
    content = bytearray(small_model.read_bytes())
    content[5000] ^= 1
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="is damaged"):
        open_source(str(tmp_path / "x.onnx"))
    folder = shutil.copytree(small_run.folder, tmp_path / "run")
    Run(folder).best.unlink()
    with pytest.raises(MienError, match=r"best\.ckpt cannot be opened"):
        open_source(str(folder))


def test_a_recipe_is_made_to_fit_source_and_data(small_model, small_dataset):
    source = open_source(str(small_model))
    fine = load_recipe(find_recipe("fine-tune"))
    kept = adapted(fine, source, small_dataset)
    assert [head.labels for head in kept.heads] == ["basic7"]
    assert (kept.network, kept.data.split) == (source.recipe.network, "official")
    some = small_dataset.select(np.isin(small_dataset.targets, [0, 4]))
    two = dataclasses.replace(
        some, labels=label_set("four"), targets=(some.targets > 0).astype(np.int64), votes=None
    )
    made = adapted(fine, source, without_splits(two))
    assert [head.labels for head in made.heads] == ["anger+happiness"]
    assert (made.data.split, made.data.keep) == ("80:10:10", "twins")
    known = dataclasses.replace(two, subjects=two.ids)
    assert adapted(fine, source, without_splits(known)).data.keep == "subjects"
    # Splits that it came with are not made anew: nothing is kept by them.
    assert adapted(fine, source, known).data.keep == "twins"
    # A head is of what the recipe brings the faces into; a test of its own is not taken, either.
    fewer = ["data.labels=happiness+sadness+surprise", "data.split=90:10", "data.test_per_class=1"]
    narrow = adapted(load_recipe(find_recipe("fine-tune"), fewer), source, small_dataset)
    assert [head.labels for head in narrow.heads] == ["happiness+sadness+surprise"]
    assert (narrow.data.labels, narrow.data.test_per_class) == ("happiness+sadness+surprise", 0)
    one = two.select(two.targets == 0)
    with pytest.raises(MienError, match=r"must show two or more expressions .* Got 1 instead"):
        adapted(fine, source, one)
    assert isinstance(made.heads[0], HeadPart)


def test_a_recipe_that_selects_by_its_head_selects_by_the_one_it_gets(small_model, small_dataset):
    source = open_source(str(small_model))
    fine = load_recipe(find_recipe("fine-tune"), ["training.select=val_macro_f1_basic7"])
    some = small_dataset.select(np.isin(small_dataset.targets, [0, 4]))
    own = dataclasses.replace(
        some, labels=label_set("four"), targets=(some.targets > 0).astype(np.int64), votes=None
    )
    made = adapted(fine, source, own)
    assert made.training.select == "val_macro_f1_anger+happiness"
    assert adapted(fine, source, small_dataset).training.select == "val_macro_f1_basic7"
    by = load_recipe(find_recipe("fine-tune"), ["training.select=val_accuracy_basic7"])
    assert adapted(by, source, own).training.select == "val_accuracy_anger+happiness"
    heads = "heads=[{labels='basic7'}, {labels='four'}]"
    second = load_recipe(find_recipe("fine-tune"), [heads, "training.select=val_accuracy_four"])
    with pytest.raises(RecipeError, match=r"'fine-tune', made to fit small .*: training\.select: "):
        adapted(second, source, own)


def test_a_run_is_a_source_when_it_is_finished(small_run, tmp_path):
    run = Run(shutil.copytree(small_run.folder, tmp_path / "run"))
    longer = recipe("training.epochs=99")
    run.write_start(longer, run.data(), "fp32")
    with pytest.raises(MienError, match="was not trained to the end"):
        open_source(str(run.folder))


def without_splits(dataset: FaceDataset) -> FaceDataset:
    return dataclasses.replace(dataset, splits=np.full(len(dataset), ""))
