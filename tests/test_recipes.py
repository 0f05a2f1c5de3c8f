"""The shipped recipes: what the papers say stands in them, and each of them trains."""

import csv
import dataclasses
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import typer

from makers import drawn_face
from mien.apps.cli.main import app, main
from mien.data.assemble import assemble
from mien.data.dataset import FaceDataset
from mien.data.readers import READERS, read_dataset
from mien.data.sample import Sample
from mien.evaluation.expected import measured
from mien.labels import ClassNames, label_set
from mien.models import build_network
from mien.recipe import ExpectedFigure, find_recipe, find_space, load_recipe, shipped_recipes
from mien.training.run import Run
from mien.training.train import train
from mien.training.tuning.space import grid_of, read_space

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAPERS = {"mahastama": 9, "kusno": 16, "chen": 1, "fatimatuzzahra": 3, "choudhari": 1}
"""How many experiments each paper has."""

ALL = {name: load_recipe(path) for name, path in shipped_recipes().items()}
OF_PAPERS = {name: recipe for name, recipe in ALL.items() if name.split("-")[0] in PAPERS}

MAHASTAMA_VAL = (0.9809, 0.9792, 0.7226, 0.7575, 0.9859, 0.7178, 0.7582, 0.7881, 0.7959)
KUSNO_VAL = {
    "fer2013": (0.6342, 0.6295, 0.6343, 0.5961),
    "ckplus48": (0.8969, 0.9750, 0.9563, 0.9281, 0.9156, 0.9969, 0.9438, 0.9625),
}
WEIGHTS = {2: 4_594_439, 3: 2_368_455, 4: 592_647, 6: 2_349_703}
"""Parameters of Kusno and Chowanda's models, as their tables count them."""


def of(paper):
    return [recipe for name, recipe in OF_PAPERS.items() if name.split("-")[0] == paper]


def expected(recipe, split="val"):
    return [figure.value for figure in recipe.expected if figure.split == split]


def comment(path):
    lines = path.read_text().splitlines()
    return [line for line in lines[: lines.index("")] if line.startswith("#")]


def commands(path):
    return [line[4:] for line in comment(path) if line.startswith("#   mien ")]


def network(recipe):
    heads = {head.labels: len(label_set(head.labels)) for head in recipe.heads}
    return build_network(recipe.network.name, heads, recipe.network.options)


# What the papers say


def test_each_paper_has_its_experiments():
    assert {paper: len(of(paper)) for paper in PAPERS} == PAPERS
    ours = {"mien-tiny", "mien-tiny-again", "mien-base", "mien-base-again", "fine-tune"}
    assert set(ALL) - set(OF_PAPERS) == ours


@pytest.mark.parametrize("name", OF_PAPERS)
def test_what_all_of_them_share(name):
    recipe = OF_PAPERS[name]
    assert recipe.name == name
    assert (recipe.preprocess.mean, recipe.preprocess.std, recipe.preprocess.size) == (0, 255, 48)
    assert recipe.optimiser.name in ("keras-adam", "keras-rmsprop")
    assert re.search(r"\b20\d\d\b", recipe.source)
    assert ("imed" in recipe.data.datasets) == bool(recipe.skip)
    for figure in recipe.expected:
        assert figure.metric == "accuracy"
        assert figure.head in [head.labels for head in recipe.heads]
        assert 0.008 < figure.tolerance < 0.07
        assert figure.faces > 0


@pytest.mark.parametrize("name", OF_PAPERS)
def test_the_label_set_is_one_that_the_datasets_can_fill(name):
    recipe = OF_PAPERS[name]
    (head,) = recipe.heads
    held = set()
    for dataset in recipe.data.datasets:
        held |= set(READERS[dataset](ClassNames()).labels.expressions)
    wanted = set(label_set(head.labels).expressions)
    if recipe.data.labels:
        assert head.labels == recipe.data.labels
    else:
        assert wanted == held
    missing = wanted - held
    # CK+48 has no neutral faces; the paper's CK+ has.
    assert missing == ({"neutral"} if name == "mahastama-2-ckplus48" else set())


def test_mahastama():
    recipes = of("mahastama")
    assert [number(recipe) for recipe in recipes] == list(range(1, 10))
    assert tuple(expected(recipe)[0] for recipe in recipes) == MAHASTAMA_VAL
    data = [set(recipe.data.datasets) for recipe in recipes]
    imed, ck, fer = "imed", "ckplus48", "fer2013"
    assert data[:6] == [{imed}, {ck}, {fer}, {imed, fer}, {imed, ck}, {fer, ck}]
    assert data[6:] == [{imed, fer, ck}] * 3
    assert expected(recipes[8], "test") == [0.71]
    filters = [recipe.network.options.get("filters") for recipe in recipes]
    assert filters[:6] == [None] * 6
    assert filters[6] == [256, 512, 384, 192]
    assert filters[7] is None
    assert filters[8] == [256, 512, 384, 192, 512, 1024]
    assert [recipe.data.at_least for recipe in recipes] == [0] * 7 + [1000, 0]


@pytest.mark.parametrize("recipe", of("mahastama"), ids=lambda recipe: recipe.name)
def test_mahastama_trains_as_printed(recipe):
    optimiser, schedule, training = recipe.optimiser, recipe.schedule, recipe.training
    assert (optimiser.name, optimiser.learning_rate) == ("keras-adam", 1e-3)
    assert (schedule.name, schedule.factor, schedule.patience) == ("plateau", 0.2, 3)
    assert (schedule.min_delta, schedule.monitor) == (1e-4, "val_loss")
    assert (training.epochs, training.patience, training.select) == (50, 7, "val_accuracy")
    data = recipe.data
    assert (data.labels, data.clean, data.keep) == ("four", ("identical",), "nothing")
    with_test = "fer2013" in data.datasets
    assert data.test_per_class == (47 if with_test else 0)
    assert data.split == ("80:18" if with_test else "80:18:2")


def number(recipe):
    return int(recipe.name.split("-")[1])


@pytest.mark.parametrize("recipe", of("kusno"), ids=lambda recipe: recipe.name)
def test_kusno(recipe):
    assert recipe.network.options == {"model": number(recipe)}
    assert recipe.name == f"kusno-{number(recipe)}-{recipe.data.dataset}"
    assert (recipe.optimiser.name, recipe.optimiser.learning_rate) == ("keras-adam", 1e-4)
    assert (recipe.training.epochs, recipe.training.patience) == (50, 0)
    assert (recipe.data.split, recipe.data.validate_on_test) == ("80:20", True)
    assert (
        recipe.heads[0].labels == {"fer2013": "basic7", "ckplus48": "ckplus7"}[recipe.data.dataset]
    )
    values = KUSNO_VAL[recipe.data.dataset]
    assert expected(recipe) == list(values[number(recipe) - 1 : number(recipe)])
    if number(recipe) in WEIGHTS:
        built = network(recipe)
        moving = sum(b.numel() for n, b in built.named_buffers() if "num_batches" not in n)
        assert sum(p.numel() for p in built.parameters()) + moving == WEIGHTS[number(recipe)]


def test_chen():
    (recipe,) = of("chen")
    optimiser, training, changes = recipe.optimiser, recipe.training, recipe.augmentation
    assert (optimiser.name, optimiser.learning_rate, optimiser.rho) == ("keras-rmsprop", 1e-3, 0.9)
    assert (training.epochs, training.batch_size, training.patience) == (200, 8, 8)
    assert training.select == "val_loss"
    assert (changes.rotation, changes.flip, changes.shift) == (25, 0.5, 0.1)
    assert (changes.shear, changes.zoom, changes.fill) == (0.2, (0.8, 1.2), "border")
    assert recipe.network.options["channels"] == 3
    assert expected(recipe, "test") == [0.8325]


def test_fatimatuzzahra():
    basic, grid, improved = of("fatimatuzzahra")
    for recipe in (basic, grid, improved):
        assert (recipe.optimiser.name, recipe.optimiser.learning_rate) == ("keras-adam", 1e-3)
        assert (recipe.training.epochs, recipe.training.batch_size) == (100, 16)
        data = recipe.data
        assert (data.labels, data.at_most, data.split) == ("four", 5000, "80:20")
        assert data.test_per_class == 50
    assert (expected(basic), expected(improved)) == ([0.70], [0.899])
    assert expected(improved, "test") == [0.78]
    assert network(improved).state_dict().keys() == network(grid).state_dict().keys()


def test_the_grid_holds_what_the_paper_settled_on():
    recipe = OF_PAPERS["fatimatuzzahra-grid"]
    (line,) = commands(shipped_recipes()[recipe.name])
    path = find_space(Path(re.search(r"--space (\S+)", line).group(1)))
    assert len(grid_of(read_space(path, recipe), str(path))) == 18
    space = tomllib.loads(path.read_text())
    settled = {
        "optimiser.learning_rate": 1e-3,
        "training.batch_size": 16,
        "network.options.dropout": 0.2,
    }
    assert space.keys() == settled.keys()
    for key, value in settled.items():
        assert value in space[key]["choices"]
        for choice in space[key]["choices"]:
            changed = load_recipe(find_recipe("fatimatuzzahra-grid"), [f"{key}={choice}"])
            assert network(changed) is not None


def test_a_space_is_a_file_or_a_shipped_one(tmp_path):
    own = tmp_path / "fatimatuzzahra-grid.toml"
    shipped = find_space(Path("fatimatuzzahra-grid"))
    assert shipped.is_file()
    # A mistyped path is not taken for a name.
    for absent in (own, Path("fatimatuzzahra-grid.toml"), Path("no-such-space")):
        assert find_space(absent) == absent
    own.write_text(shipped.read_text())
    assert find_space(own) == own


def test_choudhari():
    (recipe,) = of("choudhari")
    assert (recipe.data.dataset, recipe.data.split) == ("fer2013", "official")
    assert recipe.heads[0].labels == "basic7"
    changes = recipe.augmentation
    assert min(changes.flip, changes.rotation, changes.shift) > 0
    assert changes.zoom != (1, 1)


# Their headers


@pytest.mark.parametrize("name", OF_PAPERS)
def test_the_header_names_commands_that_exist(name):
    lines = commands(shipped_recipes()[name])
    assert any(line.split()[2] == name for line in lines)
    for line in lines:
        found = command(line.split()[1:])
        options = {option for parameter in found.params for option in parameter.opts}
        given = set(re.findall(r"(?<=\s)--[a-z-]+", line))
        assert given <= options, line


def command(words):
    """The command that words begin with, through groups such as `data`."""
    found = typer.main.get_command(app)
    while hasattr(found, "commands"):
        assert words[0] in found.commands, f"mien has no command {words[0]!r}"
        found = found.commands[words.pop(0)]
    return found


@pytest.mark.parametrize("name", OF_PAPERS)
def test_the_header_tells_the_data_and_every_figure(name):
    recipe, path = OF_PAPERS[name], shipped_recipes()[name]
    told = {"fer2013": "fer2013.zip", "ckplus48": "CK+48.zip", "imed": "imed"}
    wanted = [f"--data {told[dataset]}" for dataset in recipe.data.datasets]
    for line in commands(path):
        if line.split()[1] != "data":
            assert re.findall(r"--data \S+", line) == wanted
    text = " ".join(line.removeprefix("# ") for line in comment(path))
    assert "Expected: " in text
    assert "Chosen where the paper is silent: " in text
    for figure in recipe.expected:
        assert re.search(rf"\.{str(figure.value)[2:]}0*\b", text)


# Their data and their training


@pytest.fixture(scope="module")
def drawn(small_fer2013):
    """Small FER2013, CK+48 and IMED, by name."""
    faces, _ = small_fer2013
    made = [read_dataset(faces), faces_of("ckplus48", 0), faces_of("imed", 1)]
    return {dataset.name: dataset for dataset in made}


@pytest.fixture
def one_thread():
    """Small networks gain nothing from several threads, and lose much where others compute, too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def faces_of(name, seed, per_class=12):
    """A drawn dataset without splits, whose subjects show each expression twice."""
    labels, generator = READERS[name](ClassNames()).labels, np.random.default_rng(seed)
    samples = [
        Sample(
            id=f"{expression}-{n}",
            image=drawn_face(code, generator),
            expression=expression,
            subject=f"S{n // 2:03}",
        )
        for code, expression in enumerate(labels.expressions)
        for n in range(per_class)
    ]
    return FaceDataset.from_samples(name, labels, samples)


def shortened(name):
    """The recipe with one epoch, small batches, and a narrow network of the same layers."""
    recipe = OF_PAPERS[name]
    overrides = ["training.epochs=1", "training.batch_size=8", "training.precision=fp32"]
    overrides += [f"network.options.{option}" for option in NARROW[recipe.network.name](recipe)]
    for key, small in (("at_most", 10), ("test_per_class", 2), ("at_least", 40)):
        if getattr(recipe.data, key):
            overrides.append(f"data.{key}={small}")
    return load_recipe(shipped_recipes()[name], overrides)


def narrow_mahastama(recipe):
    count = len(recipe.network.options.get("filters", range(5)))
    return [f"filters={[8] * count}", "dense=16"]


def narrow_kusno(recipe):
    return [f"filters={[4] * (5 if number(recipe) == 1 else 4)}", "dense=16"]


NARROW = {
    "mahastama": narrow_mahastama,
    "kusno-chowanda": narrow_kusno,
    "chen": lambda recipe: ["dense=16"],
    "fatimatuzzahra": lambda recipe: ["filters=[4, 4, 4, 4]", "dense=16"],
    "fatimatuzzahra-basic": lambda recipe: ["filters=[4, 4]", "dense=16"],
    "choudhari": lambda recipe: ["filters=[4, 4, 4]", "dense=16"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_PAPERS)
def test_every_recipe_trains(name, drawn, one_thread, tmp_path):
    recipe = shortened(name)
    faces = assemble(recipe.data, [drawn[dataset] for dataset in recipe.data.datasets])
    run = train(recipe, faces, tmp_path / "run", progress=False)
    assert run.best.exists()
    (row,) = list(csv.DictReader(run.metrics_file.open()))
    assert np.isfinite([float(row["train_loss"]), float(row["val_loss"])]).all()
    assert_splits(recipe, faces)
    for figure in recipe.expected:
        if figure.split == "val":
            assert measured(figure, [], run) == float(row["val_accuracy"])


def assert_splits(recipe, faces):
    counts = faces.counts()
    if recipe.data.test_per_class:
        assert set(counts["test"].values()) == {2}
    if recipe.data.at_least:
        sizes = np.bincount(faces.targets, minlength=len(faces.labels))
        assert sizes.min() >= 40
    if recipe.data.validate_on_test:
        assert set(counts) == {"train", "val"}
    assert {"train", "val"} <= set(counts)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "train_faces", "val_faces", "test_faces"),
    [
        ("mahastama-2-ckplus48", 341, 76, 9),
        ("mahastama-6-fer2013-ckplus48", 21_007, 4_726, 188),
        ("kusno-3-fer2013", 28_711, 7_176, 0),
        ("kusno-6-ckplus48", 785, 196, 0),
        ("chen", 627, 157, 197),
        ("fatimatuzzahra-improved", 15_802, 3_950, 200),
        ("choudhari", 28_709, 3_589, 3_589),
    ],
)
def test_the_real_data_is_divided_as_the_headers_say(
    name, train_faces, val_faces, test_faces, real_fer2013, shared_data
):
    recipe = OF_PAPERS[name]
    real = {
        "fer2013": dataclasses.replace(real_fer2013, votes=None),
        "ckplus48": read_dataset(shared_data / "ckplus" / "CK+48.zip"),
    }
    faces = assemble(recipe.data, [real[dataset] for dataset in recipe.data.datasets])
    sizes = [int((faces.splits == split).sum()) for split in ("train", "val", "test")]
    assert sizes == [train_faces, val_faces, test_faces]
    for figure in recipe.expected:
        images = int((faces.splits == figure.split).sum())
        assert figure.tolerance == pytest.approx(half_width(figure.value, images), abs=6e-4)
        assert figure.faces == OWN_FACES.get(name, images)


OWN_FACES = {f"kusno-{n}-ckplus48": 320 for n in range(1, 9)} | {"mahastama-2-ckplus48": 48}
"""Faces that a paper's figures tell by their digits; the others are taken to be as many as here."""


def half_width(share, count, z=1.96):
    """Half of Wilson's 95 % interval of a share of `count`."""
    spread = np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return z / (1 + z**2 / count) * spread


# What is compared


def test_an_expected_validation_accuracy_is_the_best_epoch_s(tmp_path):
    figure = ExpectedFigure(
        metric="accuracy", head="four", value=0.7, tolerance=0.1, source="here", split="val"
    )
    for select, wanted in (("val_accuracy", 0.6), ("val_loss", 0.4)):
        recipe = load_recipe(find_recipe("kusno-1-fer2013"), [f"training.select={select}"])
        run = Run(tmp_path / select)
        run.write_start(recipe, {}, "fp32")
        rows = ["val_accuracy,val_accuracy_four,val_loss", "0.5,0.5,1.4", "0.4,0.4,1.1"]
        run.metrics_file.write_text("\n".join([*rows, "0.6,0.6,1.2", "0.6,0.7,1.3"]) + "\n")
        assert measured(figure, [], run) == wanted
        assert run.best_epoch()["val_accuracy_four"] == wanted
    assert measured(figure, []) is None
    assert measured(figure.model_copy(update={"split": "test"}), [], run) is None


# The command


def test_the_list_names_every_recipe_with_its_figure(mien_recipes):
    listed = mien_recipes()
    for name, recipe in ALL.items():
        assert name in listed
        for figure in recipe.expected:
            assert f"{figure.split} {figure.value:g} ±" in listed
    assert "IMED is given out by its authors" in listed


def test_a_recipe_is_printed_as_it_stands(mien_recipes):
    for name in ("chen", "mahastama-9-all-block-1024"):
        assert mien_recipes(name) == shipped_recipes()[name].read_text()


def test_a_recipe_s_network_is_shown_layer_by_layer(mien_recipes):
    shown = mien_recipes("kusno-2-fer2013", "--layers")
    assert re.search(r"layers\.conv2 +Conv2d +44 x 44 x 64 +18,496", shown)
    # 9 x (46^2 x 32 + 44^2 x 64 x 32 + 20^2 x 128 x 64 + 8^2 x 256 x 128) + 4096 x 1024 + 1024 x 7
    assert (
        "4,594,439 parameters, moving statistics included; 88,860,800 multiply-accumulates for a"
        " grey face of 48x48."
    ) in " ".join(shown.split())


def test_an_unknown_recipe_names_the_nearest(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mien", "recipes", "chne"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "did you mean 'chen'" in capsys.readouterr().err


@pytest.fixture
def mien_recipes(monkeypatch, capsys):
    """Runs the command; returns what it prints."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["mien", "recipes", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        return capsys.readouterr().out

    return run
