import copy
import sys
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

from makers import SMALL_RECIPE
from mien.errors import MienError, RecipeError
from mien.evaluation.predict import predict
from mien.inference.classifier import Classifier
from mien.preprocess import Preprocess
from mien.recipe import find_recipe, load_recipe
from mien.training.distillation import Distillation, open_teacher, soft_loss
from mien.training.targets import head_targets
from mien.training.train import train, training_batches, training_module

sys.path.append(str(Path(__file__).parents[1] / "inference"))
from tiny_models import write_model


def recipe(teacher, *overrides):
    given = [f"distillation={{teacher = '{teacher}'}}", *overrides]
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *given])


def test_the_soft_loss_is_the_hand_computed_one():
    teacher = torch.tensor([[2.0, 0.0], [0.0, 4.0]])
    student = torch.tensor([[0.0, 0.0], [0.0, 2.0]])

    def kl(wanted, said):
        wanted, said = (np.exp(np.array(v) / 2) for v in (wanted, said))
        wanted, said = wanted / wanted.sum(), said / said.sum()
        return float((wanted * np.log(wanted / said)).sum())

    expected = 4 * (kl([2, 0], [0, 0]) + kl([0, 4], [0, 2])) / 2
    assert float(soft_loss(student, teacher, 2.0)) == pytest.approx(expected, rel=1e-5)
    assert float(soft_loss(teacher, teacher, 2.0)) == pytest.approx(0, abs=1e-6)


def test_the_teachers_share_is_the_recipes_and_its_pixels_are_its_own(tmp_path):
    other = Preprocess(mean=100.0, std=50.0)
    model = write_model(tmp_path / "teacher.onnx", preprocess=other)
    distillation = Distillation(recipe(model, "distillation.weight=0.25"))
    crops = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    images = torch.from_numpy(Preprocess().to_input(crops))
    taught = open_teacher(str(model))(torch.from_numpy(other.to_input(crops)), ["basic7"])
    student = {"basic7": torch.zeros(4, 7), "ferplus8": torch.zeros(4, 8)}
    more = open_teacher(str(model))(torch.from_numpy(other.to_input(crops)), ["ferplus8"])
    soft = soft_loss(student["basic7"], taught["basic7"], 4.0)
    soft = soft + soft_loss(student["ferplus8"], more["ferplus8"], 4.0)
    hard = {"basic7": torch.tensor(1.5), "ferplus8": torch.tensor(0.5)}
    found = distillation.loss(hard, student, images)
    assert float(found) == pytest.approx(0.75 * 2 + 0.25 * float(soft), rel=1e-4)
    assert copy.deepcopy(distillation) is distillation


def test_of_images_without_a_face_the_teacher_says_nothing(tmp_path):
    model = write_model(tmp_path / "teacher.onnx")
    lesson = recipe(model, "distillation.weight=1.0")
    distillation = Distillation(lesson)
    random = np.random.default_rng(0)
    images = torch.from_numpy(Preprocess().to_input(random.integers(0, 256, (4, 48, 48), np.uint8)))
    student = {"basic7": torch.randn(4, 7), "ferplus8": torch.randn(4, 8)}
    hard = dict.fromkeys(student, torch.tensor(0.0))
    shown = torch.tensor([True, False, True, True])
    some = {name: logits[shown] for name, logits in student.items()}
    wanted = float(distillation.loss(hard, some, images[shown]))
    found = distillation.loss(hard, student, images, shown)
    assert float(found) == pytest.approx(wanted, rel=1e-5)
    assert float(distillation.loss(hard, student, images, torch.zeros(4, dtype=torch.bool))) == 0


OTHERS = "heads=[{labels='basic7', weight=0.5}, {labels='four', weight=3.0}]"
"""The teacher has the first head alone, and no signal."""


def test_what_the_teacher_lacks_is_learnt_from_the_targets_alone(tmp_path):
    model = write_model(tmp_path / "teacher.onnx")
    distillation = Distillation(recipe(model, OTHERS, "distillation.weight=0.25"))
    images = torch.zeros(2, 1, 48, 48)
    said = open_teacher(str(model))(images, ["basic7"])["basic7"]
    student = {"basic7": torch.zeros(2, 7), "four": torch.zeros(2, 4)}
    hard = {name: torch.tensor(n) for name, n in (("basic7", 1.0), ("four", 2.0), ("x", 4.0))}
    wanted = 0.75 * 1 + 0.25 * 0.5 * float(soft_loss(student["basic7"], said, 4.0)) + 2 + 4
    assert float(distillation.loss(hard, student, images)) == pytest.approx(wanted, rel=1e-5)


def gradients(lesson, dataset):
    """What the first batch of a training teaches each output, with no teacher or another share."""
    module = training_module(lesson, dataset).eval()
    torch.manual_seed(0)
    (batch, *_) = training_batches(lesson, dataset)
    module.training_loss(module.on_after_batch_transfer(batch, 0)).backward()
    return {name: layer.weight.grad for name, layer in module.network.heads.linear.items()}


def test_a_share_of_1_does_not_starve_what_the_teacher_lacks(small_dataset, tmp_path):
    model = write_model(tmp_path / "teacher.onnx")
    pl.seed_everything(0, verbose=False)
    alone = load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, OTHERS])
    wanted = gradients(alone, small_dataset)
    pl.seed_everything(0, verbose=False)
    found = gradients(recipe(model, OTHERS, "distillation.weight=1.0"), small_dataset)
    assert set(found) == {"basic7", "four", "agreement", "not_a_face"}
    for name, gradient in found.items():
        same = torch.allclose(gradient, wanted[name], rtol=1e-4, atol=1e-7)
        assert gradient.abs().sum() > 0
        assert same == (name != "basic7"), name


@pytest.mark.parametrize(("share", "learns"), [(0.0, True), (1.0, False)])
@pytest.mark.parametrize("mixed", ["augmentation.mixup=0", "augmentation.mixup=1.0"])
def test_expressions_are_not_learnt_from_images_without_a_face(
    small_dataset, tmp_path, share, learns, mixed
):
    model = write_model(tmp_path / "teacher.onnx")
    lesson = recipe(model, f"augmentation.no_face={share}", mixed)
    module = training_module(lesson, small_dataset).train()
    (batch, *_) = training_batches(lesson, small_dataset)
    module.training_loss(module.on_after_batch_transfer(batch, 0)).backward()
    gradient = module.network.heads.linear["basic7"].weight.grad
    assert bool(gradient.abs().sum() > 0) == learns


def test_a_student_follows_its_teacher_rather_than_the_labels(small_dataset, tmp_path):
    # Random weights: what the teacher says has nothing to do with the labels.
    model = write_model(tmp_path / "teacher.onnx", seed=5)
    lesson = recipe(
        model,
        "distillation.weight=1.0",
        "distillation.temperature=1.0",
        "training.epochs=8",
    )
    run = train(lesson, small_dataset, tmp_path / "run", progress=False)
    said = Classifier(model).classify(small_dataset.images, "basic7").argmax(1)
    judged = np.isin(small_dataset.splits, ["val", "test"])
    student = predict(run.module(), small_dataset)[1].logits.argmax(1)
    agrees = float(np.mean(student == said[judged]))
    assert agrees > float(np.mean(student == small_dataset.targets[judged])) + 0.2
    stored = run.recipe().distillation
    assert stored is not None
    assert stored.sha256 == Classifier(model).sha256


def test_a_run_teaches_what_its_file_teaches(small_run, small_model):
    crops = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    images = torch.from_numpy(Preprocess().to_input(crops))
    run, file = (open_teacher(str(path)) for path in (small_run.folder, small_model))
    assert run.heads == file.heads
    np.testing.assert_allclose(
        run(images, ["basic7"])["basic7"], file(images, ["basic7"])["basic7"], atol=1e-4
    )


def test_a_teacher_that_does_not_fit_is_one_sentence(small_dataset, tmp_path):
    with pytest.raises(MienError, match="Unknown model 'nobody'"):
        train(recipe("nobody"), small_dataset, tmp_path / "a", progress=False)
    model = write_model(tmp_path / "x.onnx", preprocess=Preprocess(size=64))
    with pytest.raises(RecipeError, match=r"must see faces of 48x48 pixels.* Got 64x64"):
        Distillation(recipe(model))
    fitting = write_model(tmp_path / "y.onnx")
    four = recipe(fitting)
    heads = (four.heads[1].model_copy(update={"labels": "four"}),)
    with pytest.raises(RecipeError, match="must have one of the recipe's heads, four"):
        Distillation(four.model_copy(update={"heads": heads}))
    with pytest.raises(RecipeError, match=r"distillation\.temperature: .*greater than 0"):
        recipe(fitting, "distillation.temperature=0")
    assert not (tmp_path / "a").exists()


def test_what_is_wrong_with_the_folder_is_said_before_a_teacher_is_asked(
    tmp_path, small_run, small_dataset, capsys
):
    once = recipe(write_model(tmp_path / "teacher.onnx"), "distillation.once=true")
    for resume, folder, message in (
        (False, small_run.folder, "already holds a run"),
        (True, small_run.folder, "holds a run of another recipe"),
        (True, tmp_path / "none", "holds no run to resume"),
    ):
        with pytest.raises(MienError, match=message):
            train(once, small_dataset, folder, resume=resume)
    assert "Asking the teacher" not in capsys.readouterr().err


def test_a_teacher_asked_once_becomes_part_of_the_targets(tmp_path, small_dataset, capsys):
    model = write_model(tmp_path / "teacher.onnx")
    once = recipe(
        model, *(f"distillation.{k}" for k in ("once=true", "weight=0.25", "temperature=1"))
    )
    faces = small_dataset.select(np.arange(6))
    teacher = open_teacher(str(model))
    seen = [faces.images, faces.images[:, :, ::-1]]
    inputs = [torch.from_numpy(Preprocess().to_input(images)) for images in seen]
    said = torch.stack([teacher(x, ["basic7"])["basic7"].softmax(1) for x in inputs]).mean(0)
    batches = training_batches(
        once.model_copy(update={"training": once.training.model_copy(update={"batch_size": 6})}),
        faces,
        progress=True,
    )
    assert "Asking the teacher" in capsys.readouterr().err
    (batch,) = batches
    order = [int((faces.images == image[0].numpy()).all((1, 2)).argmax()) for image in batch.images]
    own = torch.from_numpy(head_targets(faces, once.heads[1]).shares)
    wanted = (0.75 * own + 0.25 * said)[order]
    torch.testing.assert_close(batch.shares["basic7"], wanted, atol=1e-5, rtol=1e-5)
