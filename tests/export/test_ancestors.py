"""What a card says of the models that its own began with or learnt from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inference.tiny_models import write_model
from made_results import faces_of
from mien.card import Ancestor, ModelCard
from mien.data.store import write_store
from mien.evaluation.report import evaluate_run
from mien.export.ancestors import ancestors_of
from mien.export.export import export_run
from mien.export.model_card import model_card_page
from mien.export.model_file import write_file
from mien.export.origin_section import TOO_GOOD
from mien.inference.zoo import model_path, read_card, read_model, shipped_models
from mien.recipe import load_recipe
from mien.training.run import Run
from mien.training.source import file_sha256

RESULTS = Path(__file__).parents[2] / "results"


def recipe_of(dataset: str, **parts: str) -> str:
    """A recipe that names its dataset and finished models; the rest does not matter here."""
    text = f'[data]\ndataset = "{dataset}"\n'
    for part, source in parts.items():
        key = "source" if part == "start" else "teacher"
        text += f'[{part}]\n{key} = "{source}"\nsha256 = "{file_sha256(source)}"\n'
    return text


def finished(folder: Path, dataset: str, **parts: str) -> str:
    """What is left of a run where its card is made."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "best.ckpt").write_bytes(folder.name.encode())
    (folder / "data.json").write_text(json.dumps({"name": dataset, "fingerprint": f"of {dataset}"}))
    (folder / "recipe.toml").write_text(recipe_of(dataset, **parts))
    return str(folder)


def test_an_ancestor_has_seen_what_its_own_ancestors_have(tmp_path):
    file = tmp_path / "first.onnx"
    write_model(file, recipe=recipe_of("ckplus48+mine"), data_fingerprint="of both")
    run = finished(tmp_path / "second", "photos", start=str(file))
    found = ancestors_of([recipe_of("others", start=run, distillation=str(file))])
    assert found == (
        Ancestor(
            role="start",
            name=run,
            datasets=("photos", "ckplus48", "mine"),
            fingerprints=("of photos", "of both"),
        ),
        Ancestor(
            role="teacher",
            name=str(file),
            datasets=("ckplus48", "mine"),
            fingerprints=("of both",),
        ),
    )


def test_what_a_files_card_says_of_its_ancestors_counts(tmp_path):
    file = tmp_path / "first.onnx"
    said = Ancestor(role="start", name="gone", datasets=("secret",), fingerprints=("s",))
    write_model(file, recipe=recipe_of("photos"), data_fingerprint="p", ancestors=[said])
    (found,) = ancestors_of([recipe_of("others", start=str(file))])
    assert (found.datasets, found.fingerprints, found.known) == (
        ("photos", "secret"),
        ("p", "s"),
        True,
    )


@pytest.mark.parametrize("change", ["gone", "another", "no data.json", "not TOML"])
def test_what_cannot_be_looked_up_is_not_known(tmp_path, change):
    run = Path(finished(tmp_path / "run", "photos"))
    text = recipe_of("others", start=str(run))
    if change == "gone":
        shutil.rmtree(run)
    elif change == "another":
        (run / "checkpoints" / "best.ckpt").write_bytes(b"another")
    elif change == "no data.json":
        (run / "data.json").unlink()
    else:
        (run / "recipe.toml").write_text("no = = TOML")
    assert ancestors_of([text]) == (Ancestor(role="start", name=str(run), known=False),)


@pytest.mark.parametrize("name", shipped_models())
def test_shipped_models_have_seen_only_what_their_cards_say(name):
    card = read_card(model_path(name))
    (found,) = ancestors_of([recipe_of("photos", distillation=name)])
    assert (found.datasets, found.known) == (("fer2013",), True)
    assert found.fingerprints == (card.data_fingerprint,)
    for recipe in ("mien-base", "mien-base-again", "mien-tiny", "mien-tiny-again"):
        said = json.loads((RESULTS / recipe / "data.json").read_text())
        assert (said["name"], said["fingerprint"]) == ("fer2013", card.data_fingerprint)


def test_a_card_of_before_says_nothing_and_its_page_is_as_it_was(small_model):
    card = read_card(small_model)
    assert card.ancestors == ()
    fields = json.loads(card.model_dump_json())
    del fields["ancestors"]
    old = ModelCard.model_validate(fields)
    assert old.ancestors is None
    assert model_card_page(old) == model_card_page(card)
    assert "It has seen only FER2013: pictures found" in model_card_page(old)
    assert "began with" not in model_card_page(old)


def test_a_run_that_began_with_another_says_so(small_run, small_dataset, tmp_path):
    evaluate_run(small_run, small_dataset)
    run = Run(shutil.copytree(small_run.folder, tmp_path / "run"))
    first = finished(tmp_path / "first", "ckplus48")
    with run.recipe_file.open("a") as file:
        file.write(recipe_of("", start=first).partition("\n")[2].partition("\n")[2])
    assert load_recipe(run.recipe_file).start.source == first
    card = export_run(run, tmp_path / "x.onnx")
    assert card.ancestors == (
        Ancestor(role="start", name=first, datasets=("ckplus48",), fingerprints=("of ckplus48",)),
    )
    page = model_card_page(card)
    assert f"It began with {first} (trained on ckplus48). {TOO_GOOD}" in page
    assert (
        "It has seen FER2013, itself or by a model that it began with or learnt from: pic" in page
    )
    assert "only FER2013" not in page


def with_ancestors(path: Path, model: Path, *ancestors: Ancestor, **changes: object) -> Path:
    """Write a model whose card says that it has these ancestors."""
    card, payload, _ = read_model(model)
    write_file(card.model_copy(update={"ancestors": ancestors, **changes}), payload, path)
    return path


SAW = Ancestor(role="start", name="runs/a", datasets=("ckplus48",), fingerprints=("c",))
TAUGHT = Ancestor(role="teacher", name="mien-base", datasets=("fer2013",), fingerprints=("f",))
UNKNOWN = Ancestor(role="start", name="runs/gone", known=False)


def page_of(card: ModelCard, *ancestors: Ancestor) -> str:
    """The page of a card with other ancestors and a figure of CK+."""
    other = card.figures[0].model_copy(update={"split": "all", "dataset": "ckplus48"})
    figures = (*card.figures, other)
    return model_card_page(card.model_copy(update={"ancestors": ancestors, "figures": figures}))


def test_the_page_says_who_was_trained_on_another_dataset(small_model):
    card = read_card(small_model)
    assert "On ckplus48, never trained or selected on:" in page_of(card, TAUGHT)
    page = page_of(card, SAW, TAUGHT)
    assert "It began with runs/a (trained on ckplus48) and was taught by mien-base" in page
    saw = "On ckplus48, trained on by runs/a, with which it began: these figures are too good:"
    assert saw in page
    assert "never trained" not in page
    page = page_of(card, UNKNOWN)
    assert "It began with runs/gone (trained on unknown data)" in page
    unknown = "On ckplus48, on which it was not trained itself; of runs/gone that is not known:"
    assert unknown in page
    assert "only FER2013" not in page


def test_figures_are_not_too_good_where_all_learnt_from_the_same_faces(small_model):
    card = read_card(small_model)
    same = TAUGHT.model_copy(update={"fingerprints": (card.data_fingerprint,)})
    page = page_of(card, same)
    assert (
        "It was taught by mien-base (trained on fer2013), on the same faces and splits as it"
        in page
    )
    assert TOO_GOOD not in page
    assert "It has seen only FER2013" in page
    assert TOO_GOOD in page_of(card, same.model_copy(update={"known": False}))


def test_limits_of_what_only_a_teacher_saw(small_model):
    recipe = read_card(small_model).recipe.replace('dataset = "fer2013"', 'dataset = "photos"')
    card = read_card(small_model).model_copy(update={"recipe": recipe})
    assert "## Limits" not in page_of(card, SAW)
    page = page_of(card, TAUGHT)
    assert "It has seen FER2013, itself or by a model" in page
    assert "Contempt, disgust and fear are rare" in page
    assert "Confidence was fitted on faces on which most raters agree" not in page


def test_also_says_what_the_figures_are_of(mien, small_model, small_fer2013, tmp_path):
    model = with_ancestors(tmp_path / "model.onnx", small_model, SAW)
    write_store(faces_of("ckplus48", per_class=2), tmp_path / "other")
    out, page = tmp_path / "eight.onnx", tmp_path / "eight.md"
    given = ["--data", small_fer2013[0], "--votes", small_fer2013[1], "--card", page]
    done = mien("quantise", model, *given, "--out", out, "--also", tmp_path / "other")
    assert done.code == 0, done.err
    said = "On ckplus48, trained on by runs/a, with which it began: these figures are too good"
    assert f"{said}." in " ".join(done.err.split())
    assert f"{said}:" in page.read_text(encoding="utf-8")
    assert read_card(out).ancestors == (SAW,)
