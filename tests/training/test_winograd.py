import copy
import json
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.pytorch.callbacks import Callback
from torch import nn

from mien.models import build_network
from mien.recipe import find_recipe, load_recipe
from mien.training import tiling
from mien.training import winograd as module
from mien.training.precision import convolutions_of
from mien.training.run import Run
from mien.training.train import train
from mien.training.winograd import WinogradConv2d, pays, winograd, with_winograd


def drawn(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, requires_grad=True)


@pytest.fixture
def one_tile_at_a_time(monkeypatch):
    monkeypatch.setattr(tiling, "CHUNK_TILES", 1)
    monkeypatch.setattr(tiling, "CHUNK_BYTES", 1)


def the_same(images, weight, bias, padding):
    taken = [images, weight] if bias is None else [images, weight, bias]
    direct = nn.functional.conv2d(images, weight, bias, padding=padding)
    fewer = winograd(images, weight, bias, padding)
    towards = torch.randn_like(direct)
    torch.testing.assert_close(fewer, direct)
    for ours, theirs in zip(
        torch.autograd.grad(fewer, taken, towards), torch.autograd.grad(direct, taken, towards)
    ):
        torch.testing.assert_close(ours, theirs)


@given(
    count=st.integers(1, 3),
    channels=st.integers(1, 4),
    filters=st.integers(1, 4),
    height=st.integers(3, 14),
    width=st.integers(3, 14),
    padding=st.integers(0, 2),
    bias=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_outputs_and_gradients_are_those_of_the_direct_sum(
    count, channels, filters, height, width, padding, bias
):
    the_same(
        drawn(count, channels, height, width),
        drawn(filters, channels, 3, 3),
        drawn(filters) if bias else None,
        padding,
    )


def test_images_are_taken_in_chunks(one_tile_at_a_time):
    the_same(drawn(5, 3, 10, 7), drawn(4, 3, 3, 3), drawn(4), 1)


def test_many_images_fill_several_chunks():
    the_same(drawn(40, 8, 13, 7), drawn(6, 8, 3, 3), drawn(6), 0)


def test_rounding_of_single_precision_is_small():
    images, weight = (
        drawn(4, 64, 24, 24, dtype=torch.float32),
        drawn(64, 64, 3, 3, dtype=torch.float32),
    )
    exact = nn.functional.conv2d(images.double(), weight.double(), padding=1)
    error = (winograd(images, weight, padding=1) - exact).norm() / exact.norm()
    assert error < 5e-6


def test_nothing_is_computed_for_images_that_need_no_gradient():
    images, weight = torch.randn(2, 3, 8, 8), drawn(4, 3, 3, 3, dtype=torch.float32)
    winograd(images, weight, padding=1).sum().backward()
    assert images.grad is None
    assert weight.grad.shape == weight.shape


def test_a_layer_after_it_may_write_into_its_output():
    images, weight = drawn(2, 3, 9, 9), drawn(4, 3, 3, 3)
    grads = []
    for convolve in (winograd, nn.functional.conv2d):
        output = convolve(images, weight, padding=1).relu_()
        grads.append(torch.autograd.grad(output.square().sum(), weight)[0])
    torch.testing.assert_close(*grads)


def test_layers_of_other_kinds_stay_as_they_are():
    plain = nn.ModuleDict(
        {
            "strided": nn.Conv2d(64, 64, 3, stride=2, padding=1),
            "large": nn.Conv2d(64, 64, 5, padding=2),
            "pointwise": nn.Conv2d(64, 64, 1),
            "grouped": nn.Conv2d(64, 64, 3, groups=2),
            "dilated": nn.Conv2d(64, 64, 3, dilation=2),
            "mirrored": nn.Conv2d(64, 64, 3, padding=1, padding_mode="reflect"),
            "named": nn.Conv2d(64, 64, 3, padding="same"),
        }
    )
    assert not any(type(layer) is WinogradConv2d for layer in with_winograd(plain).modules())


def test_a_network_keeps_its_weights_and_can_be_copied():
    direct = build_network("kusno-chowanda", {"basic7": 7}, {"model": 3})
    direct.eval()
    fewer = with_winograd(copy.deepcopy(direct))
    assert [type(m) for m in fewer.modules()].count(WinogradConv2d) == 4
    assert list(fewer.state_dict()) == list(direct.state_dict())
    images = torch.randn(8, 1, 48, 48)
    expected = direct(images)["basic7"]
    for network in (fewer, copy.deepcopy(fewer), pickle.loads(pickle.dumps(fewer))):
        torch.testing.assert_close(network(images)["basic7"], expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("images", "channels", "filters", "side", "faster"),
    [
        (64, 256, 512, 24, True),
        (64, 64, 64, 24, True),
        (64, 64, 64, 12, True),
        (64, 256, 512, 6, True),
        (64, 1, 64, 48, False),
        (64, 16, 16, 48, False),
        (64, 32, 32, 24, False),
        (64, 64, 64, 6, False),
        (64, 512, 512, 2, False),
        (1, 256, 256, 6, False),
    ],
)
def test_wide_layers_take_it_and_narrow_ones_do_not(images, channels, filters, side, faster):
    assert pays((images, channels, side, side), filters, 1) is faster


@pytest.mark.parametrize("wide", [True, False])
def test_only_layers_it_pays_for_compute_so(wide, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "winograd", lambda *args: asked.append(args) or winograd(*args))
    layer = with_winograd(nn.Conv2d(64, 64 if wide else 4, 3, padding=1))
    images = torch.randn(16, 64, 24, 24)
    plain = nn.functional.conv2d(images, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(images), plain, atol=1e-4, rtol=1e-4)
    assert bool(asked) is wide
    asked.clear()
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(images).dtype == torch.bfloat16
    assert not asked


WIDE = [
    "training.epochs=2",
    "training.precision=fp32",
    "training.batch_size=8",
    "data.labels='basic7'",
]


class Layers(Callback):
    def on_train_start(self, trainer, pl_module):
        self.fewer = sum(type(m) is WinogradConv2d for m in pl_module.modules())


@pytest.mark.parametrize(("said", "taken"), [("winograd", 4), ("direct", 0), (None, 0)])
def test_a_run_goes_on_as_it_began(small_dataset, tmp_path, said, taken):
    recipe = load_recipe(find_recipe("kusno-3-fer2013"), WIDE)
    run = Run(tmp_path / "run")
    folder = train(recipe, small_dataset, run.folder, progress=False).folder
    longer = recipe.model_copy(
        update={"training": recipe.training.model_copy(update={"epochs": 3})}
    )
    run.write_start(longer, run.data(), "fp32", said or "direct")
    if said is None:
        began = run.environment()
        del began["convolutions"]
        run.environment_file.write_text(json.dumps(began))
    seen = Layers()
    train(longer, small_dataset, folder, resume=True, progress=False, callbacks=[seen])
    assert seen.fewer == taken


def test_a_training_takes_it_and_says_so(small_dataset, tmp_path):
    runs = {}
    for wanted in ("auto", "direct"):
        overrides = [*WIDE, f"training.convolutions={wanted}"]
        recipe = load_recipe(find_recipe("kusno-3-fer2013"), overrides)
        seen = Layers()
        runs[wanted] = train(
            recipe, small_dataset, tmp_path / wanted, progress=False, callbacks=[seen]
        )
        chosen = convolutions_of(recipe, "fp32")
        assert runs[wanted].environment()["convolutions"] == chosen
        assert seen.fewer == (4 if chosen == "winograd" else 0)
    ours, theirs = (
        [float(line.split(",")[1]) for line in run.metrics_file.read_text().splitlines()[1:]]
        for run in runs.values()
    )
    assert ours == pytest.approx(theirs, rel=0.02)
    assert not any(type(m) is WinogradConv2d for m in runs["auto"].module().modules())


def test_bf16_and_recipes_that_refuse_it_compute_directly():
    recipe = load_recipe(find_recipe("mien-base"), [])
    assert convolutions_of(recipe, "bf16") == "direct"
    direct = load_recipe(find_recipe("mien-base"), ["training.convolutions=direct"])
    assert convolutions_of(direct, "fp32") == "direct"
