"""What Keras does that torch does not, against values computed by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mien.models.keras_layers import (
    KerasBatchNorm1d,
    KerasBatchNorm2d,
    convolution,
    dense,
    keras_parameters,
)
from mien.models.keras_network import KerasStack


def test_batch_normalisation_of_features_is_the_hand_computed_one():
    layer = KerasBatchNorm1d(1)
    normalised = layer(torch.tensor([[1.0], [2.0], [3.0], [6.0]]))
    # Mean 3, squared deviations 4, 1, 0, 9: the biased variance is 14 / 4, the unbiased 14 / 3.
    assert normalised.flatten().tolist() == pytest.approx(
        [(value - 3) / math.sqrt(3.5 + 1e-3) for value in (1, 2, 3, 6)]
    )
    assert layer.running_mean.item() == pytest.approx(0.01 * 3)
    assert layer.running_var.item() == pytest.approx(0.99 + 0.01 * 3.5)
    layer(torch.tensor([[0.0], [2.0]]))
    assert layer.running_mean.item() == pytest.approx(0.99 * 0.03 + 0.01 * 1)
    assert layer.running_var.item() == pytest.approx(0.99 * (0.99 + 0.035) + 0.01 * 1)


@given(st.integers(2, 5), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_batch_normalisation_of_maps_averages_biased_variances(images, channels, side, seed):
    maps = torch.randn(images, channels, side, side, generator=torch.Generator().manual_seed(seed))
    layer = KerasBatchNorm2d(channels)
    layer(maps)
    torch.testing.assert_close(layer.running_mean, 0.01 * maps.mean((0, 2, 3)))
    wanted = 0.99 + 0.01 * maps.var((0, 2, 3), correction=0)
    torch.testing.assert_close(layer.running_var, wanted)


@pytest.mark.parametrize("kind", [KerasBatchNorm1d, KerasBatchNorm2d])
def test_moving_averages_keep_the_share_that_they_are_told(kind):
    layer = kind(1, kept=0.75)
    values = torch.tensor([[1.0], [2.0], [3.0], [6.0]])
    layer(values if kind is KerasBatchNorm1d else values.reshape(1, 1, 2, 2))
    assert layer.running_mean.item() == pytest.approx(0.25 * 3)
    assert layer.running_var.item() == pytest.approx(0.75 + 0.25 * 3.5)


def test_batch_normalisation_in_evaluation_uses_and_keeps_the_moving_averages():
    layer = KerasBatchNorm2d(1).eval()
    layer.running_mean.fill_(2.0)
    layer.running_var.fill_(4.0)
    normalised = layer(torch.full((1, 1, 1, 1), 5.0))
    assert normalised.item() == pytest.approx(3 / math.sqrt(4 + 1e-3))
    assert (layer.running_mean.item(), layer.running_var.item()) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("layer", "limit"),
    [
        (convolution(8, 16, 3, "same"), math.sqrt(6 / (9 * 8 + 9 * 16))),
        (dense(100, 50), math.sqrt(6 / 150)),
    ],
)
def test_first_weights_are_glorots(layer, limit):
    weights = layer.weight.detach()
    assert float(weights.abs().max()) <= limit
    assert float(weights.abs().max()) > 0.95 * limit
    assert float(weights.std()) == pytest.approx(limit / math.sqrt(3), rel=0.05)
    assert not layer.bias.any()


def test_padding_keeps_the_map_and_none_shrinks_it():
    assert convolution(1, 2, 5, "same")(torch.zeros(1, 1, 9, 9)).shape == (1, 2, 9, 9)
    assert convolution(1, 2, 5, "valid")(torch.zeros(1, 1, 9, 9)).shape == (1, 2, 5, 5)


def test_parameters_are_counted_with_moving_averages_but_without_torchs_own_counter():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), KerasBatchNorm2d(4), nn.Linear(4, 2))
    assert keras_parameters(network) == (9 * 4 + 4) + 4 * 4 + (4 * 2 + 2)


def test_gradients_are_those_of_torchs_batch_normalisation():
    maps = torch.randn(3, 2, 4, 4)
    gradients = []
    for layer in (KerasBatchNorm2d(2), nn.BatchNorm2d(2, eps=1e-3)):
        inputs = maps.clone().requires_grad_()
        layer(inputs).pow(3).sum().backward()
        gradients.append((inputs.grad, layer.weight.grad, layer.bias.grad))
    torch.testing.assert_close(*gradients)


def test_relu_after_the_pool_is_relu_before_it():
    stack = KerasStack(12)
    stack.convolution(4)
    stack.pool()
    ours = nn.Sequential(*stack.layers.values())
    papers = nn.Sequential(stack.layers["conv1"], nn.ReLU(), nn.MaxPool2d(2))
    assert list(stack.layers) == ["conv1", "pool1", "relu1"]
    found = []
    for network in (ours, papers):
        images = torch.randn(3, 1, 12, 12, generator=torch.Generator().manual_seed(0))
        images.requires_grad_()
        output = network(images)
        (output**2).sum().backward()
        found.append((output.detach(), images.grad, stack.layers["conv1"].weight.grad.clone()))
        network.zero_grad()
    for one, two in zip(*found):
        torch.testing.assert_close(one, two, rtol=0, atol=0)
