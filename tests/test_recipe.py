import pytest

from mien.apps.cli.wanted_recipe import wanted_recipe
from mien.card import PRECISION, RECALL
from mien.errors import RecipeError
from mien.evaluation import metrics
from mien.models import build_network
from mien.recipe import find_recipe, load_recipe, parse_recipe, shipped_recipes
from mien.recipe.checks import METRICS, OF_EXPRESSIONS


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(find_recipe("mien-base").read_text())
    return path


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_every_shipped_recipe_is_valid_and_builds(name):
    recipe = load_recipe(shipped_recipes()[name])
    assert recipe.name == name
    heads = {head.labels: 2 for head in recipe.heads}
    assert build_network(recipe.network.name, heads, recipe.network.options) is not None


def test_a_recipe_is_found_by_path_by_name_and_by_the_documented_path(recipe_file):
    assert find_recipe(str(recipe_file)) == recipe_file
    assert find_recipe("mien-base") == find_recipe("recipes/mien-base.toml")
    wrong_ones = ("mien-bas", "mien-base.yaml", "mien-base.toml", "recipes/mien-base")
    for wrong in (*wrong_ones, "other/recipes/mien-base.toml"):
        with pytest.raises(RecipeError, match="Unknown recipe"):
            find_recipe(wrong)


def test_overrides_change_values_and_types(recipe_file):
    overrides = ["training.epochs=5", "augmentation.zoom=[0.9, 1.1]", "optimiser.name=adamw"]
    recipe = load_recipe(recipe_file, overrides)
    assert recipe.training.epochs == 5
    assert recipe.augmentation.zoom == (0.9, 1.1)
    assert recipe.optimiser.name == "adamw"


def test_a_ratio_that_could_be_a_time_is_a_ratio(recipe_file):
    assert load_recipe(recipe_file, ["data.split=20:10:10"]).data.shares == (20, 10, 10)
    assert load_recipe(recipe_file, ["name=2026-01-02"]).name == "2026-01-02"


def test_a_recipe_may_begin_with_a_byte_order_mark(recipe_file):
    recipe = load_recipe(recipe_file)
    recipe_file.write_text(recipe_file.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert load_recipe(recipe_file) == recipe


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=5", r"training.epoch: Unknown key 'epoch': did you mean 'epochs'"),
        ("training.epochs=many", r"training.epochs: .*valid integer.* Got 'many'"),
        ("training.epochs=0", r"training.epochs: .*greater than or equal to 1"),
        ("optimiser.name=sgdd", r"optimiser.name: .*'sgd'"),
        ("trainig.epochs=5", r"trainig: Unknown key 'trainig': did you mean 'training'"),
        ("training.epochs", r"must be key=value"),
        ("name.first=x", r"names no table"),
        ("training.select=test_loss", r"training.select: Unknown figure 'test_loss'"),
        ("training.seed=99999999999", r"training.seed: .*less than or equal to 4294967295"),
        ("optimiser.learning_rate=inf", r"optimiser.learning_rate: .*finite"),
        ("augmentation.zoom=[1.2, 0.8]", r"augmentation.zoom: .*smaller to the larger"),
        ("augmentation.zoom=[0, 0]", r"augmentation.zoom: .*between 0.01 and 100"),
        ("augmentation.zoom=[-1, 1]", r"augmentation.zoom: .*between 0.01 and 100"),
        ("augmentation.brightness=[0.5, 2.5]", r"augmentation.brightness: .*between 0 and 2\."),
        ("augmentation.brightness=[-0.5, 1]", r"augmentation.brightness: .*between 0 and 2\."),
        ("augmentation.contrast=[-1, 1]", r"augmentation.contrast: .*between 0 and 100"),
        ("augmentation.contrast=[1, inf]", r"augmentation.contrast.*finite"),
        ("schedule.warmup_epochs=inf", r"schedule.warmup_epochs: .*finite"),
        ("schedule.warmup_epochs=1e308", r"schedule.warmup_epochs: .*less than or equal"),
        ("preprocess.mean=nan", r"preprocess.mean: .*finite"),
        ("signals=[{name='agreement'}, {name='agreement'}]", r"signals.1.name: 'agreement' is a"),
        ("data.merge={contempt='anger'}", r"data: .*merge needs labels"),
    ],
)
def test_a_wrong_override_names_the_key_and_the_nearest(recipe_file, override, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe_file, [override])


def test_a_wrong_head_names_its_key(recipe_file):
    text = recipe_file.read_text()
    recipe_file.write_text(text.replace("smoothing", "smooth"))
    with pytest.raises(RecipeError, match=r"heads.1.smooth: .*did you mean 'smoothing'"):
        load_recipe(recipe_file)
    recipe_file.write_text(text.replace('"basic7"', '"basic8"'))
    with pytest.raises(RecipeError, match=r"label set 'basic8': did you mean 'basic7'"):
        load_recipe(recipe_file)


def test_a_head_stands_once_and_a_missing_key_is_named(recipe_file):
    text = recipe_file.read_text()
    recipe_file.write_text(text.replace('"basic7"', '"ferplus8"'))
    with pytest.raises(RecipeError, match=r"heads\.1\.labels: 'ferplus8' is a head already"):
        load_recipe(recipe_file)
    recipe_file.write_text(text.replace("epochs = 44\n", ""))
    with pytest.raises(RecipeError, match=r"the key 'training\.epochs' is missing\.$"):
        load_recipe(recipe_file)


def test_a_file_that_is_no_recipe_is_one_sentence(tmp_path, recipe_file):
    recipe_file.write_text("name = ")
    with pytest.raises(RecipeError, match="is not TOML"):
        load_recipe(recipe_file)
    with pytest.raises(RecipeError, match="cannot be opened"):
        load_recipe(tmp_path / "missing.toml")


def test_an_unknown_network_or_option_names_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'mien-se-resnet'"):
        build_network("mien-seresnet", {"basic7": 7}, {})
    with pytest.raises(RecipeError, match="did you mean 'dropout'"):
        build_network("mien-se-resnet", {"basic7": 7}, {"drop": 0.1})
    for options in (
        {"dropout": 2},
        {"channels": 64},
        {"stem": "wide"},
        {"stem": 0},
        {"channels": [], "blocks": []},
        {"channels": [4, 4, 4]},
        {"channels": [64.5, 64, 64]},
        {"blocks": [0, 2, 2]},
        {"dropout": "much"},
    ):
        with pytest.raises(RecipeError, match=r"cannot be built with .*option"):
            build_network("mien-se-resnet", {"basic7": 7}, options)


def test_a_label_set_of_ones_own_goes_by_its_own_name(recipe_file):
    recipe = load_recipe(recipe_file, ["heads.1.labels=sad + happy+angry", "expected=[]"])
    assert recipe.heads[1].labels == "anger+happiness+sadness"
    with pytest.raises(RecipeError, match="is a head already"):
        load_recipe(
            recipe_file,
            ["heads.0.labels=happy+sad", "heads.1.labels=sad+happy", "expected=[]"],
        )
    smooth = load_recipe(recipe_file, ["heads.1.smoothing=0.25"])
    assert smooth.heads[1].smoothing == 0.25


def test_a_misspelt_key_of_a_file_is_named_rather_than_the_missing_one(recipe_file):
    text = recipe_file.read_text().replace("learning_rate = 0.1", "lerning_rate = 0.1")
    recipe_file.write_text(text)
    with pytest.raises(RecipeError, match=r"'lerning_rate': did you mean 'learning_rate'"):
        load_recipe(recipe_file)


PLATEAU = "only. Got cosine instead"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["schedule.patience=3"], rf"schedule.patience .* schedule.name plateau {PLATEAU}"),
        (["schedule.factor=0.5"], rf"schedule.factor .* {PLATEAU}"),
        (["schedule.smallest=1e-5"], rf"schedule.smallest .* {PLATEAU}"),
        (["schedule.min_delta=0"], rf"schedule.min_delta .* {PLATEAU}"),
        (["schedule.monitor=val_accuracy"], rf"schedule.monitor .* {PLATEAU}"),
        (
            ["schedule={name='plateau', warmup_epochs=1}"],
            r"schedule.warmup_epochs .* schedule.name constant or cosine only\. Got plateau",
        ),
        (
            ["schedule={name='one-cycle', warmup_epochs=1}"],
            r"schedule.warmup_epochs .* constant or cosine only\. Got one-cycle",
        ),
        (["heads.1.gamma=5"], r"heads.1.gamma .* heads.1.loss focal only\. Got cross-entropy"),
        (["optimiser.rho=0.5"], r"optimiser.rho .* rmsprop or keras-rmsprop only\. Got sgd"),
        (["optimiser.beta2=0.9"], r"optimiser.beta2 .* adam or adamw or keras-adam only"),
        (["optimiser.epsilon=1e-3"], r"optimiser.epsilon .* only\. Got sgd instead"),
        (["optimiser.name=adam", "optimiser.nesterov=false"], r"nesterov .* sgd only\. Got adam"),
        (["augmentation={fill='zeros', flip=0.5}"], r"fill .* zoom or shear only\. Got none"),
        (["augmentation.no_face=0.1"], r"no_face .* signals not_a_face only\. Got none"),
        (
            ["augmentation.no_face=0.1", "signals=[{name='agreement'}]"],
            r"no_face .* not_a_face only\. Got agreement instead",
        ),
    ],
)
def test_options_without_effect_are_refused(recipe_file, overrides, message):
    with pytest.raises(RecipeError, match=message) as refused:
        load_recipe(recipe_file, overrides)
    assert str(refused.value).startswith(f"{recipe_file}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "overrides",
    [
        ["heads.1.loss=focal", "heads.1.gamma=5"],
        ["schedule={name='plateau', patience=3, factor=0.5, monitor='val_macro_f1'}"],
        ["schedule={name='constant', warmup_epochs=1}"],
        ["optimiser={name='keras-rmsprop', learning_rate=0.1, rho=0.5, epsilon=1e-3}"],
        ["optimiser={name='adamw', learning_rate=0.1, beta2=0.5, epsilon=1e-3}"],
        ["optimiser.nesterov=false"],
        ["augmentation={zoom=[0.9, 1.1], fill='zeros'}"],
        ["augmentation.no_face=0.1", "signals=[{name='not_a_face'}]"],
        # Defaults, as a run's recipe writes them out.
        ["schedule.patience=10", "schedule.factor=0.1", "heads.0.gamma=2", "optimiser.rho=0.9"],
        ["training.select=val_macro_f1"],
        ["training.select=val_macro_f1_basic7"],
    ],
)
def test_options_with_an_effect_and_defaults_are_taken(recipe_file, overrides):
    recipe = load_recipe(recipe_file, overrides)
    content = recipe.model_dump(mode="json", exclude_none=True)
    assert parse_recipe(content, "here") == parse_recipe(content, "here", kept=True) == recipe


def test_what_acted_before_an_override_goes_with_the_name_that_made_it_act(recipe_file):
    recipe = load_recipe(recipe_file, ["schedule.name=plateau"])
    # The file's own warm-up, of its cosine schedule.
    assert (recipe.schedule.name, recipe.schedule.warmup_epochs) == ("plateau", 0.0)
    with pytest.raises(RecipeError, match=r"schedule.warmup_epochs .* Got plateau instead"):
        load_recipe(recipe_file, ["schedule.name=plateau", "schedule.warmup_epochs=1"])


def test_of_a_recipe_that_was_trained_by_what_has_no_effect_is_left_out(recipe_file):
    recipe = load_recipe(recipe_file)
    content = recipe.model_dump(mode="json", exclude_none=True)
    content["schedule"] |= {"patience": 3, "warmup_epochs": 50.0}
    content["heads"][1]["gamma"] = 5.0
    content["optimiser"]["rho"] = 0.5
    content["expected"][0]["metric"] = "acuracy"
    kept = parse_recipe(content, "here", kept=True)
    assert kept.expected[0].metric == "acuracy"
    assert kept.schedule == recipe.schedule.model_copy(update={"warmup_epochs": 50.0})
    assert (kept.heads, kept.optimiser) == (recipe.heads, recipe.optimiser)
    with pytest.raises(RecipeError, match=r"here: optimiser\.rho has an effect with"):
        parse_recipe(content, "here")


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        ({"metric": "acuracy"}, r"expected\.0\.metric: .* 'acuracy': did you mean 'accuracy'"),
        ({"metric": "recall_fears"}, r"expected\.0\.metric: .*did you mean 'recall_fear'"),
        ({"head": "ckplus7"}, r"expected\.0\.head: Unknown head 'ckplus7': .*ferplus8"),
        ({"split": "train", "metric": "ece"}, r"expected\.0\.split: .* alone .* Got ece instead"),
    ],
)
def test_what_cannot_be_measured_is_not_expected(recipe_file, figure, message):
    content = load_recipe(recipe_file).model_dump(mode="json", exclude_none=True)
    content["expected"][0] |= figure
    with pytest.raises(RecipeError, match=message):
        parse_recipe(content, "here")


def test_accuracy_on_training_faces_is_expected_unless_they_are_mixed(recipe_file):
    content = load_recipe(recipe_file).model_dump(mode="json", exclude_none=True)
    content["expected"][0] |= {"split": "train"}
    assert parse_recipe(content, "here").expected[0].split == "train"
    content["augmentation"]["mixup"] = 0.2
    with pytest.raises(RecipeError, match=r"split: .* Got accuracy with mixup instead"):
        parse_recipe(content, "here")
    content["start"] = {"source": "mien-base", "adapt": True}
    assert parse_recipe(content, "here").expected  # of heads that it has not got yet


def test_the_metrics_that_may_be_expected_are_those_of_reports():
    assert tuple(metrics.METRICS) == METRICS
    assert [f"{kind}_" for kind in OF_EXPRESSIONS] == [RECALL, PRECISION]


def test_a_recipe_that_begins_with_another_model_expects_nothing():
    assert wanted_recipe("chen", None, ()).expected
    begun = wanted_recipe("chen", "runs/other", ())
    assert (begun.expected, begun.start.source) == ((), "runs/other")
    assert begun.model_copy(update={"start": None}) == load_recipe(find_recipe("chen")).model_copy(
        update={"expected": ()}
    )
