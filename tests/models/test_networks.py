"""The contract of every registered network, and what is special about each paper's."""

import pytest
import torch
from torch import nn

from mien.card import Head, ModelCard
from mien.errors import RecipeError
from mien.export.onnx import write_onnx
from mien.labels import label_set
from mien.models import NETWORKS, build_network
from mien.models.blocks import Heads
from mien.models.cost import count_macs
from mien.models.dropout import Dropout
from mien.models.keras_layers import keras_parameters
from mien.models.mahastama import STACKED, WITH_1024, WITHOUT_ADDITIONAL_LAYER
from mien.models.mien_se_resnet import ResidualBlock
from mien.models.network import FaceNetwork
from mien.preprocess import Preprocess

HEADS = {"basic7": 7, "four": 4}

VARIANTS = [
    *((name, {}) for name in sorted(NETWORKS)),
    ("mahastama", {"filters": WITHOUT_ADDITIONAL_LAYER}),
    ("mahastama", {"filters": WITH_1024}),
    *(("kusno-chowanda", {"model": model}) for model in (1, 3, 4, 5, 6, 7, 8)),
    ("chen", {"channels": 1}),
    ("chen", {"padding": ["valid"] * 3, "batch_norm": True}),
]

every_variant = pytest.mark.parametrize(("name", "options"), VARIANTS)
every_network = pytest.mark.parametrize("name", sorted(NETWORKS))


def small(name):
    """A network of a kind whose tests need not be large."""
    options = {"mahastama": {"filters": [8, 8, 8, 8, 8]}, "mien-se-resnet": {"channels": [8, 8, 8]}}
    return build_network(name, HEADS, options.get(name, {}))


@every_variant
def test_logits_are_finite_and_gradients_reach_every_weight(name, options):
    torch.manual_seed(0)
    network = build_network(name, HEADS, options)
    outputs = network(torch.randn(3, 1, 48, 48))
    assert {head: tuple(logits.shape) for head, logits in outputs.items()} == {
        "basic7": (3, 7),
        "four": (3, 4),
    }
    assert all(torch.isfinite(logits).all() for logits in outputs.values())
    sum(logits.square().sum() for logits in outputs.values()).backward()
    for parameter, value in network.named_parameters():
        assert value.grad is not None, parameter
        assert torch.isfinite(value.grad).all(), parameter
        assert float(value.grad.abs().sum()) > 0, parameter


@every_variant
def test_logits_are_the_heads_of_the_features(name, options):
    network = build_network(name, HEADS, options).eval()
    assert isinstance(network, FaceNetwork)
    images = torch.randn(2, 1, 48, 48)
    with torch.inference_mode():
        features = network.features(images)
        assert features.shape == (2, network.heads.width)
        for head, logits in network(images).items():
            torch.testing.assert_close(logits, network.heads.linear[head](features))


@every_network
def test_other_heads_fit_on_the_same_features(name):
    network = small(name).eval()
    images = torch.randn(2, 1, 48, 48)
    before = network.features(images)
    network.heads = Heads(network.heads.width, {"ckplus7": 7})
    assert torch.equal(network.features(images), before)
    assert {head: logits.shape[1] for head, logits in network(images).items()} == {"ckplus7": 7}


@every_network
def test_saved_weights_make_an_equal_network(name, tmp_path):
    network = small(name)
    network(torch.randn(4, 1, 48, 48))
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    twin = small(name)
    twin.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    images = torch.randn(2, 1, 48, 48)
    assert torch.equal(network.eval()(images)["four"], twin.eval()(images)["four"])


@every_network
def test_evaluation_depends_on_the_face_alone_and_training_on_the_seed(name):
    network = small(name)
    images = torch.randn(4, 1, 48, 48)
    network.eval()
    together, again = network(images)["four"], network(images)["four"]
    assert torch.equal(together, again)
    alone = torch.cat([network(image[None])["four"] for image in images])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-4)
    network.train()
    runs = []
    for _ in range(2):
        torch.manual_seed(1)
        runs.append(network(images)["four"])
    assert torch.equal(*runs)


@every_network
def test_low_precision_and_channels_last_change_little(name):
    torch.manual_seed(0)
    network = small(name)
    network(torch.randn(8, 1, 48, 48))
    network.eval()
    images = torch.randn(4, 1, 48, 48)
    wanted = network(images)["basic7"].detach()
    images = images.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(images)["basic7"], wanted, atol=1e-5, rtol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(images)["basic7"].float()
    torch.testing.assert_close(found, wanted, atol=0.05 * float(wanted.abs().max()), rtol=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        loss = network.train()(images)["basic7"].float().square().sum()
    loss.backward()
    gradients = [p.grad for n, p in network.named_parameters() if "four" not in n]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def _card(network):
    heads = tuple(Head(name=n, expressions=label_set(n).expressions) for n in HEADS)
    return ModelCard(
        name="fresh",
        mien_version="0",
        description="Fresh weights.",
        heads=heads,
        preprocess=Preprocess(),
        parameters=keras_parameters(network),
        macs=0,
        recipe="",
        data_fingerprint="",
        figures=(),
        payload_bytes=0,
        payload_sha256="",
    )


@every_network
def test_onnx_computes_what_torch_does(name, tmp_path):
    torch.manual_seed(0)
    network = small(name)
    network(torch.randn(8, 1, 48, 48))
    # It raises where ONNX Runtime's outputs differ from torch's.
    card = write_onnx(network.eval(), _card(network), tmp_path / "network.onnx")
    assert (tmp_path / "network.onnx").stat().st_size > card.payload_bytes


def test_mien_base_has_its_golden_size():
    network = build_network("mien-se-resnet", {"ferplus8": 8, "basic7": 7}, {})
    assert sum(p.numel() for p in network.parameters()) == 2_840_031


def test_mien_base_keeps_the_order_of_the_weights_that_checkpoints_have():
    names = [name for name, _ in build_network("mien-se-resnet", HEADS, {}).named_parameters()]
    assert names[:2] == ["stem.0.weight", "stem.1.weight"]
    assert names[-2:] == ["heads.linear.four.weight", "heads.linear.four.bias"]


@pytest.mark.parametrize(
    ("model", "parameters"), [(2, 4_594_439), (3, 2_368_455), (4, 592_647), (6, 2_349_703)]
)
def test_kusno_and_chowandas_models_have_the_printed_parameters(model, parameters):
    network = build_network("kusno-chowanda", {"ckplus7": 7}, {"model": model})
    assert keras_parameters(network) == parameters
    trained = sum(p.numel() for p in network.parameters())
    assert keras_parameters(network) - trained == 2_048


def test_model_7_is_model_2_without_batch_normalisation():
    two, seven = (build_network("kusno-chowanda", HEADS, {"model": m}) for m in (2, 7))
    assert keras_parameters(two) - keras_parameters(seven) == 4 * 1024


def test_kusno_and_chowandas_model_2_costs_what_hand_computation_says():
    network = build_network("kusno-chowanda", {"ckplus7": 7}, {"model": 2})
    convolutions = (
        46 * 46 * 9 * 1 * 32,
        44 * 44 * 9 * 32 * 64,
        20 * 20 * 9 * 64 * 128,
        8 * 8 * 9 * 128 * 256,
    )
    assert count_macs(network, 48) == sum(convolutions) + 4096 * 1024 + 1024 * 7


@pytest.mark.parametrize(
    ("filters", "pools", "flat"),
    [(WITHOUT_ADDITIONAL_LAYER, 4, 192 * 9), (STACKED, 5, 512), (WITH_1024, 5, 1024)],
)
def test_mahastamas_networks_pool_until_one_pixel_is_left(filters, pools, flat):
    network = build_network("mahastama", {"four": 4}, {"filters": filters})
    layers = list(network.layers)
    assert [c.out_channels for c in layers if isinstance(c, nn.Conv2d)] == list(filters)
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in layers) == pools
    (dense,) = (layer for layer in layers if isinstance(layer, nn.Linear))
    assert (dense.in_features, dense.out_features) == (flat, 256)
    # Convolution, ReLU, batch normalisation, pool, dropout, and the last two after the dense layer.
    names = [name for name, _ in network.layers.named_children()]
    assert names[:5] == ["conv1", "relu1", "norm1", "pool1", "dropout1"]
    assert names[-4:] == ["flatten1", "dense1", f"relu{len(filters) + 1}", names[-1]]
    assert {layer.p for layer in layers if isinstance(layer, nn.Dropout)} == {0.5}


def test_chens_network_sees_one_grey_channel_as_three_equal_ones():
    torch.manual_seed(0)
    three = build_network("chen", HEADS, {})
    one = build_network("chen", HEADS, {"channels": 1})
    assert three.layers.conv1.weight.shape == (6, 3, 5, 5)
    state = three.state_dict()
    state["layers.conv1.weight"] = state["layers.conv1.weight"].sum(1, keepdim=True)
    one.load_state_dict(state)
    images = torch.randn(2, 1, 48, 48)
    wanted = three.eval()(images)["four"]
    torch.testing.assert_close(one.eval()(images)["four"], wanted, atol=1e-5, rtol=1e-4)


def test_the_improved_network_of_fatimatuzzahra_adds_two_convolutions_to_the_basic_one():
    basic, improved = (
        [type(layer) for layer in build_network(name, HEADS, {}).layers]
        for name in ("fatimatuzzahra-basic", "fatimatuzzahra")
    )
    assert (basic.count(nn.Conv2d), improved.count(nn.Conv2d)) == (2, 4)
    assert (basic.count(nn.Linear), improved.count(nn.Linear)) == (1, 1)
    assert basic.count(Dropout) == 0
    assert improved.count(Dropout) == 5


def test_mahastamas_averages_move_as_fast_as_they_are_told():
    for options, kept in (({}, 0.99), ({"norm_momentum": 0.9}, 0.9)):
        layers = build_network("mahastama", HEADS, options).layers
        norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
        assert [norm.momentum for norm in norms] == pytest.approx([1 - kept] * 5)


@every_network
def test_other_sizes_work(name):
    sized = name != "mien-se-resnet"
    network = build_network(name, HEADS, {"size": 64} if sized else {}).eval()
    assert network(torch.randn(1, 1, 64, 64))["four"].shape == (1, 4)
    if sized:
        with pytest.raises(RecipeError, match=r"'size' must be .* 48x48 pixels. Got 64 instead"):
            network(torch.randn(1, 1, 48, 48))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("kusno-chowanda", {"size": 20}, "would leave nothing of a map of .* 20x20 pixels are too"),
        ("kusno-chowanda", {"model": 9}, r"'model' must be from 1 to 8, not 9\.$"),
        ("kusno-chowanda", {"filters": [32]}, "'filters' must list 2 or more whole numbers"),
        ("kusno-chowanda", {"modle": 2}, "did you mean 'model'"),
        ("mahastama", {"filters": []}, "'filters' must list 1 or more whole numbers"),
        ("mahastama", {"filters": [32, 0]}, "'filters' must list"),
        ("mahastama", {"filters": "32"}, "'filters' must list"),
        ("mahastama", {"dropout": 1}, "'dropout' must be from 0 to less than 1, not 1"),
        ("mahastama", {"dense_dropout": "half"}, "'dense_dropout' must be from 0"),
        ("mahastama", {"batch_norm": "yes"}, "'batch_norm' must be true or false, not 'yes'"),
        ("mahastama", {"norm_momentum": 1}, "'norm_momentum' must be from 0 to less than 1"),
        ("chen", {"channels": 2}, "'channels' must be 1 or 3, not 2"),
        ("chen", {"filters": [6, 16]}, "'filters' must list 3 numbers, not 2"),
        ("chen", {"padding": ["same", "vallid", "same"]}, "did you mean 'valid'"),
        ("chen", {"padding": "same"}, "'padding' must list 3 names, not 'same'"),
        ("choudhari", {"filters": [8] * 6}, "a pool would leave nothing of a map of 1x1"),
        ("choudhari", {"dense": 0}, "'dense' must be a whole number from 1 up, not 0"),
        ("fatimatuzzahra", {"size": 48.0}, "'size' must be a whole number"),
        ("mien-se-resnet", {"blocks": [2, 2]}, "one number for each stage; they have 3 and 2"),
    ],
)
def test_an_impossible_option_is_answered_with_a_sentence(name, options, message):
    with pytest.raises(RecipeError, match=message):
        build_network(name, HEADS, options)


def test_our_network_sees_faces_of_any_size():
    network = build_network("mien-se-resnet", HEADS, {"channels": [8] * 4, "blocks": [1] * 4})
    for side in (8, 13, 44, 50, 52, 56, 100):
        assert network(torch.randn(2, 1, side, side))["four"].shape == (2, 4)


def test_shortcuts_average_the_pixels_that_are_there():
    shortcut = ResidualBlock(8, 8, 2).shortcut[0]
    images = torch.randn(2, 8, 6, 6)
    assert torch.equal(shortcut(images), nn.AvgPool2d(2)(images))
    odd = shortcut(images[..., :5, :5])
    assert torch.equal(odd[..., :2, :2], shortcut(images)[..., :2, :2])
    torch.testing.assert_close(odd[..., 2, 2], images[..., 4, 4])
    torch.testing.assert_close(odd[..., 0, 2], images[..., :2, 4].mean(-1))
