"""Occlusion and regions need the base install only: here nothing else can be imported."""

import subprocess
import sys

import pytest

BLOCKED = ("torch", "lightning", "captum", "sklearn", "kornia", "onnx", "scipy")

WITHOUT = f"""
import sys
from importlib.abc import MetaPathFinder

class Blocked(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {BLOCKED}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {BLOCKED} else find(name)
"""


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + script, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_python_interface_needs_the_base_install_only():
    script = f"""
import numpy as np
from mien.explanation.explainer import Explainer
from mien.explanation.output import Output
from mien.explanation.overlay import outlined, overlay
from mien.inference.classifier import Classifier
crop = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
explainer = Explainer(Output.of(Classifier("mien-base"), "basic7"))
(found,) = explainer.explain(crop, "happy")
parts = explainer.regions(crop, "happy")
picture = outlined(overlay(crop, parts.shapley[parts.regions]), parts.regions)
print(found.expression, found.heatmap.shape, picture.shape)
assert not set({BLOCKED}) & set(sys.modules)
"""
    done = run(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "happiness (48, 48) (240, 240, 3)\n"


def test_the_command_needs_the_base_install_only(portrait, tmp_path):
    script = "from mien.apps.cli.main import main; main()"
    done = run(script, "explain", "mien-base", portrait, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "explain.html").exists()


@pytest.mark.parametrize(
    ("arguments", "feature"),
    [
        (("--method", "grad-cam"), "The method 'grad-cam'"),
        (("--method", "integrated-gradients"), "The method 'integrated-gradients'"),
        (("--feature-maps", "stages"), "Drawing feature maps"),
    ],
)
def test_what_needs_more_says_so_in_a_sentence(portrait, tmp_path, arguments, feature):
    script = "from mien.apps.cli.main import main; main()"
    done = run(script, "explain", "mien-base", portrait, "--out", tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr == f"Error: {feature} needs the extra [train]: pip install '.[train]' in" + (
        " mien's folder.\n"
    )
    assert not list(tmp_path.iterdir())
