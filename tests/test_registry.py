import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from makers import SMALL_RECIPE
from mien.data.readers import READERS
from mien.errors import DataError, RecipeError
from mien.models import NETWORKS, build_network
from mien.recipe import find_recipe, load_recipe
from mien.registry import Registry
from mien.training.train import train

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).parents[1]


def test_entries_are_found_without_being_imported_by_hand():
    assert {"fer2013", "folder"} <= set(READERS)
    assert "mien-se-resnet" in set(NETWORKS)


@pytest.mark.parametrize(
    ("registry", "wrong", "error", "near"),
    [(READERS, "fer2012", DataError, "fer2013"), (NETWORKS, "mien-resnet", RecipeError, "mien-se")],
)
def test_an_unknown_entry_is_answered_with_the_nearest(registry, wrong, error, near):
    with pytest.raises(error, match=near):
        registry[wrong]


def test_a_name_is_given_once():
    registry: Registry[int] = Registry("number", "mien.data.readers")
    registry.register("one")(1)
    with pytest.raises(RuntimeError, match="twice"):
        registry.register("one")(2)


def install(folder, name, module, points, group="mien.models"):
    """A distribution of one module with entry points, as an installer leaves it in a folder."""
    (folder / f"{name.replace('-', '_')}.py").write_text(module)
    meta = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "\n".join(f"{key} = {value}" for key, value in points.items())
    (meta / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")


@pytest.fixture
def anew(monkeypatch, tmp_path):
    """The networks, found once more, with a folder of installed packages."""
    assert len(NETWORKS) > 1
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(NETWORKS, "_entries", dict(NETWORKS._entries))
    monkeypatch.setattr(NETWORKS, "_discovered", False)
    monkeypatch.setattr(NETWORKS, "_offered", {})
    yield NETWORKS
    for name in ("own_networks", "own_broken"):
        sys.modules.pop(name, None)


def documented():
    """The example of the documentation: a module and its entry points."""
    text = (REPOSITORY / "docs" / "training.md").read_text()
    module = next(b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "FaceNetwork" in b)
    table = next(b for b in re.findall(r"```toml\n(.*?)```", text, re.S) if "entry-points" in b)
    return module, tomllib.loads(table)


def test_the_documented_package_adds_a_network_that_trains(anew, tmp_path, small_dataset):
    module, project = documented()
    points = project["project"]["entry-points"]
    install(tmp_path, project["project"]["name"], module, points["mien.models"])
    assert "plain" in set(anew)
    assert len(anew) == len(anew._entries) + 1
    assert "own_networks" not in sys.modules  # imported when it is asked for
    given = [*SMALL_RECIPE, "network={name='plain', options={width=8}}", "training.epochs=1"]
    recipe = load_recipe(find_recipe("mien-base"), given)
    run = train(recipe, small_dataset, tmp_path / "run", progress=False)
    assert run.module().network.heads.width == 8
    with pytest.raises(RecipeError, match="option of network 'plain' 'widht': did you mean 'width"):
        build_network("plain", {"basic7": 7}, {"widht": 8})
    with pytest.raises(RecipeError, match="Unknown network 'plian': did you mean 'plain'"):
        anew["plian"]


def test_a_shipped_name_is_not_taken_by_another(anew, tmp_path):
    install(tmp_path, "own-networks", "Chen = None", {"chen": "own_networks:Chen"})
    clash = (
        r"The network 'chen' is there twice: mien's own in mien\.models and own_networks:Chen of"
        r" own-networks; the latter must be renamed or uninstalled\."
    )
    for _ in range(2):
        with pytest.raises(RecipeError, match=clash):
            anew["chen"]
    assert "own_networks" not in sys.modules


def test_two_packages_that_offer_one_name_are_both_told(anew, tmp_path):
    install(tmp_path, "own-networks", "Net = None", {"net": "own_networks:Net"})
    install(tmp_path, "own-broken", "Net = None", {"net": "own_broken:Net"})
    with pytest.raises(RecipeError, match=r"twice: own_(broken|networks):Net .* and own_"):
        anew["mien-se-resnet"]


def test_what_cannot_be_imported_is_told_when_it_is_asked_for(anew, tmp_path):
    points = {"broken": "own_broken:Net", "absent": "own_broken.more:Net"}
    install(tmp_path, "own-broken", "raise OSError('no licence')", points)
    assert anew["chen"]
    for name, why in (("broken", "no licence"), ("absent", "no licence")):
        sentence = (
            f"The network '{name}', own_broken.*:Net of own-broken, cannot be imported: {why}"
        )
        with pytest.raises(RecipeError, match=sentence):
            anew[name]


def test_another_group_is_another_registry_s(anew, tmp_path):
    install(tmp_path, "own-networks", "Net = None", {"net": "own_networks:Net"}, "mien.data.audit")
    assert "net" not in set(anew)


READER = """
import sys

from mien.inference.detectors import DETECTORS

assert "own_networks" not in sys.modules
print(sorted(DETECTORS), DETECTORS["whole"](None))
"""


def test_a_detector_is_found_without_a_training_framework(tmp_path):
    install(
        tmp_path,
        "own-networks",
        "def whole(weights): return 'the whole picture'",
        {"whole": "own_networks:whole"},
        "mien.inference.detectors",
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", READER]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert out.stdout == "['haar', 'whole', 'yunet'] the whole picture\n"


def test_the_command_line_starts_without_looking_for_packages():
    script = (
        "import mien.registry\n"
        "mien.registry.entry_points = lambda **_: 1 / 0\n"
        "import mien.apps.cli.main, mien.models, mien.data.readers, mien.inference.detectors\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
