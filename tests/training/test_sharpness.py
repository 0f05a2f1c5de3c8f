"""Sharpness-aware minimisation against its definition."""

import csv

import pytest
import torch
from torch import nn
from torch.func import functional_call

from makers import SMALL_RECIPE
from mien.errors import TrainingError
from mien.recipe import find_recipe, load_recipe
from mien.training.faces import training_faces
from mien.training.sharpness import uphill
from mien.training.train import train, training_batches, training_module

ONE_STEP = (
    "augmentation={}",
    "data.drop_twins=false",
    "optimiser={name = 'sgd', learning_rate = 0.1, momentum = 0.0}",
    "schedule={name = 'constant'}",
    "training.epochs=1",
    "training.ema_decay=0",
)
"""One step of plain gradient descent on all faces, which the test can make itself."""


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *overrides])


def test_weights_are_held_uphill_and_put_back():
    network = nn.Linear(2, 1)
    frozen = nn.Parameter(torch.ones(1))
    network.register_parameter("frozen", frozen)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, 2.0]]))
        network.bias.fill_(0.5)
    network.weight.grad = torch.tensor([[2.0, 0.0]])
    network.bias.grad = torch.tensor([-1.5])  # the norm of all is 2.5
    with uphill(network, radius=5.0):
        assert network.weight.tolist() == [[5.0, 2.0]]
        assert network.bias.item() == pytest.approx(0.5 - 3.0)
        assert frozen.item() == 1.0
    assert network.weight.tolist() == [[1.0, 2.0]]
    assert network.bias.item() == 0.5


def test_a_gradient_of_zero_points_nowhere():
    network = nn.Linear(2, 1)
    before = network.weight.detach().clone()
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    with uphill(network, radius=1.0):
        assert torch.equal(network.weight, before)


def normalised():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    network(torch.randn(4, 2)).square().sum().backward()
    return network


def test_weights_and_statistics_come_back_also_after_an_error():
    network = normalised()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(KeyboardInterrupt), uphill(network, radius=1.0):
        network(torch.randn(4, 2))
        assert not torch.equal(network[1].running_mean, before["1.running_mean"])
        raise KeyboardInterrupt
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_an_overflow_of_half_precision_moves_nothing():
    network = normalised()
    before = network[0].weight.detach().clone()
    network[0].weight.grad[0, 0] = float("inf")
    with uphill(network, radius=1.0):
        assert torch.equal(network[0].weight, before)


@pytest.fixture(scope="module")
def all_at_once(small_dataset):
    count = len(training_faces(recipe(*ONE_STEP), small_dataset))
    return (*ONE_STEP, f"training.batch_size={count}", "training.convolutions=direct")


def gradient(module, batch, weights):
    """The gradient at some weights, without touching the module's own or its statistics."""
    weights = {name: value.detach().clone().requires_grad_() for name, value in weights.items()}
    buffers = {name: value.clone() for name, value in module.network.named_buffers()}
    logits = functional_call(module.network, weights | buffers, (batch.images,))
    grads = torch.autograd.grad(module.loss(logits, batch), list(weights.values()))
    return dict(zip(weights, grads, strict=True)), buffers


def test_a_step_takes_the_gradient_of_the_worst_weights_near_by(
    small_dataset, all_at_once, tmp_path
):
    radius = 0.5
    wanted = recipe(*all_at_once, f"optimiser.sam={radius}")
    start = training_module(wanted, training_faces(wanted, small_dataset)).network.state_dict()
    run = train(wanted, small_dataset, tmp_path / "run", progress=False, start=start)

    module = training_module(wanted, training_faces(wanted, small_dataset), start).train()
    batch = next(iter(training_batches(wanted, training_faces(wanted, small_dataset))))
    batch = module.on_after_batch_transfer(batch, 0)
    weights = dict(module.network.named_parameters())
    here, statistics = gradient(module, batch, weights)
    norm = torch.stack([g.square().sum() for g in here.values()]).sum().sqrt()
    worst = {name: w + radius * here[name] / norm for name, w in weights.items()}
    there, _ = gradient(module, batch, worst)

    kept = run.module().network.state_dict()
    for name, weight in weights.items():
        assert torch.allclose(kept[name], weight - 0.1 * there[name], atol=1e-4), name
    assert any(
        not torch.allclose(kept[name], weight - 0.1 * here[name], atol=1e-3)
        for name, weight in weights.items()
    )
    for name, value in statistics.items():
        if "running" in name:
            assert torch.allclose(kept[name], value, atol=1e-5), name
    with run.metrics_file.open() as file:
        logged = float(next(csv.DictReader(file))["train_loss"])
    loss = float(module.training_loss(batch).detach())
    assert logged == pytest.approx(loss, rel=1e-4)


def test_a_network_learns_by_it(small_dataset, tmp_path):
    run = train(recipe("optimiser.sam=0.05"), small_dataset, tmp_path / "run", progress=False)
    with run.metrics_file.open() as file:
        accuracies = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    assert max(accuracies) > 0.6


@pytest.mark.parametrize(
    "optimiser", ["sgd", "adam", "adamw", "rmsprop", "keras-adam", "keras-rmsprop"]
)
@pytest.mark.parametrize("clip", [0, 0.5])
def test_any_optimiser_takes_it(small_dataset, all_at_once, tmp_path, optimiser, clip):
    kept = []
    for radius in (0, 0.5):
        wanted = recipe(
            *all_at_once,
            f"optimiser={{name='{optimiser}', learning_rate=0.01, sam={radius}}}",
            f"training.gradient_clip={clip}",
        )
        run = train(wanted, small_dataset, tmp_path / str(radius), progress=False)
        kept.append(run.module().network.state_dict())
    plain, sharp = (torch.cat([w.flatten() for w in one.values() if w.ndim > 1]) for one in kept)
    assert sharp.isfinite().all()
    assert not torch.allclose(plain, sharp, atol=1e-6)


def test_a_radius_that_is_too_large_is_named(small_dataset, tmp_path):
    wild = recipe("optimiser.sam=10", "optimiser.learning_rate=1e30", "schedule.name=constant")
    with pytest.raises(TrainingError, match=r"or a smaller optimiser\.sam may help"):
        train(wild, small_dataset, tmp_path / "run", progress=False)
