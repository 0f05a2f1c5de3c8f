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
from mien.training.tiling import Tiling
from mien.training.train import train
from mien.training.winograd import WinogradConv2d, pays, winograd, with_winograd


def drawn(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, requires_grad=True)


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


@pytest.mark.parametrize("tiles", [1, 12, 1000])
def test_images_are_computed_some_at_a_time(tiles, monkeypatch):
    monkeypatch.setattr(tiling, "CHUNK_TILES", tiles)
    monkeypatch.setattr(tiling, "CHUNK_BYTES", 1)
    chunks = Tiling.of(13, 7, 0).chunks(7, 6, threads=1)
    assert len(chunks) == {1: 7, 12: 4, 1000: 1}[tiles]
    assert [image for chunk in chunks for image in range(7)[chunk]] == list(range(7))
    the_same(drawn(7, 5, 13, 7), drawn(6, 5, 3, 3), drawn(6), 0)


@pytest.mark.parametrize(
    ("channels", "threads", "together"), [(4, 1, 50), (64, 1, 3), (512, 1, 3), (512, 2, 14)]
)
def test_few_channels_and_threads_let_more_images_be_computed_at_a_time(
    channels, threads, together
):
    assert Tiling.of(24, 24, 1).chunks(100, channels, threads)[0] == slice(0, together)


def test_gradients_may_lie_in_any_order():
    images, weight = drawn(3, 4, 8, 12), drawn(5, 4, 3, 3)
    whole = torch.randn(3, 10, 16, 12, dtype=torch.float64)
    gradients = [
        whole[:, ::2, ::2],
        whole[:, :5, :8].contiguous(memory_format=torch.channels_last),
        torch.ones((), dtype=torch.float64).expand(3, 5, 8, 12),
    ]
    for towards in gradients:
        for arranged in (images, images.detach().permute(0, 1, 3, 2).permute(0, 1, 3, 2)):
            taken = [weight] if arranged is not images else [images, weight]
            direct = nn.functional.conv2d(arranged, weight, padding=1)
            expected = torch.autograd.grad(direct, taken, towards)
            found = torch.autograd.grad(winograd(arranged, weight, padding=1), taken, towards)
            torch.testing.assert_close(found, expected)


def test_rounding_of_single_precision_is_small():
    images = drawn(4, 64, 24, 24, dtype=torch.float32)
    weight = drawn(64, 64, 3, 3, dtype=torch.float32)
    towards = torch.randn(4, 64, 24, 24)
    exact = nn.functional.conv2d(images.double(), weight.double(), padding=1)
    ours = winograd(images, weight, padding=1)
    pairs = [(ours, exact)]
    pairs += zip(
        torch.autograd.grad(ours, (images, weight), towards),
        torch.autograd.grad(exact, (images, weight), towards.double()),
    )
    assert max((one - other).norm() / other.norm() for one, other in pairs) < 5e-6


def test_only_wanted_gradients_are_computed(monkeypatch):
    summed = []
    through = Tiling.summed
    monkeypatch.setattr(Tiling, "summed", lambda *args: summed.append(1) or through(*args))
    images, weight = drawn(2, 3, 8, 8), drawn(4, 3, 3, 3)
    winograd(images.detach(), weight, padding=1).sum().backward()
    assert not summed
    assert weight.grad.shape == weight.shape
    winograd(images, weight.detach(), padding=1).sum().backward()
    assert summed
    assert images.grad.shape == images.shape


@pytest.mark.parametrize(
    ("learns", "kept"),
    [("nothing", 0), ("images", 0), ("weight", 36 * 4 * 3 * 2)],
)
def test_patches_are_kept_only_for_the_gradient_of_the_weight(learns, kept):
    images, weight = drawn(2, 3, 8, 8), drawn(4, 3, 3, 3)
    images.requires_grad_(learns == "images")
    weight.requires_grad_(learns == "weight")
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, id):
        winograd(images, weight, padding=1)
    assert sum(size for size in sizes if size != weight.numel()) == kept


def test_validation_keeps_nothing():
    images, weight = drawn(2, 3, 8, 8), drawn(4, 3, 3, 3)
    with torch.no_grad():
        output = winograd(images, weight, padding=1)
    assert output.grad_fn is None
    torch.testing.assert_close(output, nn.functional.conv2d(images, weight, padding=1).detach())


def test_what_the_layer_does_not_take_is_as_before():
    layer = with_winograd(nn.Conv2d(64, 64, 3, padding=1))
    one = torch.randn(64, 24, 24)
    assert layer(one).shape == one.shape
    with pytest.raises(RuntimeError, match="expected input"):
        layer(torch.randn(16, 32, 24, 24))
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        with_winograd(nn.Conv2d(64, 64, 3))(torch.randn(1000, 64, 1, 1))
    assert layer(torch.randn(0, 64, 24, 24)).shape == (0, 64, 24, 24)


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
    layer.to(torch.bfloat16)(images.to(torch.bfloat16))
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


@pytest.mark.parametrize(
    ("said", "wanted", "taken"),
    [("winograd", "auto", 4), ("direct", "auto", 0), (None, "auto", 0), ("winograd", "direct", 0)],
)
def test_a_run_goes_on_as_it_began(small_dataset, tmp_path, said, wanted, taken):
    overrides = [*WIDE, f"training.convolutions={wanted}"]
    run = train(wide(*overrides), small_dataset, tmp_path / "run", progress=False)
    longer = wide(*overrides, "training.epochs=3")
    run.write_start(longer, run.data(), "fp32", said or "direct")
    if said is None:
        began = run.environment()
        del began["convolutions"]
        run.environment_file.write_text(json.dumps(began))
    seen = Layers()
    train(longer, small_dataset, run.folder, resume=True, progress=False, callbacks=[seen])
    assert seen.fewer == taken


def wide(*overrides):
    return load_recipe(find_recipe("kusno-3-fer2013"), [*WIDE, *overrides])


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_a_training_takes_it_and_says_so(small_dataset, tmp_path, no_gpu):
    losses = []
    for wanted, said, layers in (("auto", "winograd", 4), ("direct", "direct", 0)):
        seen = Layers()
        run = train(
            wide(f"training.convolutions={wanted}", "training.ema_decay=0.5"),
            small_dataset,
            tmp_path / wanted,
            progress=False,
            callbacks=[seen],
        )
        assert run.environment()["convolutions"] == said
        assert seen.fewer == layers
        assert not any(type(m) is WinogradConv2d for m in run.module().modules())
        losses.append([epoch["train_loss"] for epoch in run.epochs()])
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] != losses[1]


def test_an_interrupted_training_ends_as_an_uninterrupted_one(small_dataset, tmp_path, no_gpu):
    whole = train(wide("training.epochs=3"), small_dataset, tmp_path / "whole", progress=False)
    parts = train(wide(), small_dataset, tmp_path / "parts", progress=False)
    parts.write_start(wide("training.epochs=3"), parts.data(), "fp32", "winograd")
    train(wide("training.epochs=3"), small_dataset, parts.folder, resume=True, progress=False)
    assert parts.metrics_file.read_text() == whole.metrics_file.read_text()


def test_recipes_gpus_and_other_precisions_decide(no_gpu, monkeypatch):
    assert convolutions_of(wide(), "fp32") == "winograd"
    assert convolutions_of(wide(), "bf16") == "direct"
    assert convolutions_of(wide("training.convolutions=direct"), "fp32") == "direct"
    for device in (torch.cuda, torch.backends.mps):
        with monkeypatch.context() as patch:
            patch.setattr(device, "is_available", lambda: True)
            assert convolutions_of(wide(), "fp32") == "direct"
