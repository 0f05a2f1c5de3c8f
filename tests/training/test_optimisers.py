"""Steps and rates against hand-computed ones."""

import copy
import math

import pytest
import torch
from torch import nn

from mien.recipe import OptimiserPart, SchedulePart
from mien.training.keras import KerasAdam, KerasRMSprop
from mien.training.optimisers import build_optimiser
from mien.training.schedules import build_plateau, build_schedule

GRADIENTS = (2.0, -0.5, 1e-7, 0.3)


def layer():
    one = nn.Linear(1, 1, bias=False)
    one.weight.data.fill_(1.0)
    return one


def walk(optimiser, one):
    path = []
    for gradient in GRADIENTS:
        one.weight.grad = torch.tensor([[gradient]])
        optimiser.step()
        path.append(one.weight.item())
    return path


@pytest.mark.parametrize("fused", [True, False])
def test_keras_adam_makes_the_steps_of_its_definition(fused):
    one = layer()
    found = walk(KerasAdam([one.weight], lr=0.1, epsilon=1e-3, fused=fused), one)
    w, m, v = 1.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        rate = 0.1 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w -= rate * m / (math.sqrt(v) + 1e-3)
        assert found[t - 1] == pytest.approx(w, rel=1e-5)


def test_pytorchs_adam_differs_where_epsilon_counts():
    one, other = layer(), layer()
    keras = walk(KerasAdam([one.weight], lr=0.1, epsilon=1e-2), one)
    plain = walk(torch.optim.Adam([other.weight], lr=0.1, eps=1e-2), other)
    assert abs(keras[0] - plain[0]) > 1e-3


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_keras_rmsprop_makes_the_steps_of_its_definition(momentum):
    one = layer()
    optimiser = KerasRMSprop([one.weight], lr=0.1, rho=0.9, momentum=momentum, epsilon=1e-3)
    found = walk(optimiser, one)
    w, v, step = 1.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS):
        v = 0.9 * v + 0.1 * g * g
        step = momentum * step + 0.1 * g / math.sqrt(v + 1e-3)
        w -= step
        assert found[t] == pytest.approx(w, rel=1e-5)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop", "keras-adam", "keras-rmsprop"])
def test_every_optimiser_goes_downhill_and_resumes(name):
    part = OptimiserPart(name=name, learning_rate=0.05, weight_decay=1e-4)
    one = layer()
    optimiser = build_optimiser(one, part)
    for _ in range(3):
        optimiser.zero_grad()
        one.weight.square().sum().backward()
        optimiser.step()
    other = layer()
    other.load_state_dict(one.state_dict())
    resumed = build_optimiser(other, part)
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for network, steps in ((one, optimiser), (other, resumed)):
        steps.zero_grad()
        network.weight.square().sum().backward()
        steps.step()
    assert one.weight.item() < 0.99
    assert one.weight.item() == other.weight.item()


def rates(part, steps, per_epoch, losses=None):
    optimiser = build_optimiser(layer(), OptimiserPart(name="sgd", learning_rate=1.0))
    plateau = part.name == "plateau"
    schedule = (
        build_plateau(optimiser, part)
        if plateau
        else build_schedule(optimiser, part, steps, per_epoch)
    )
    found = []
    for step in range(steps):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step(*([losses[step]] if plateau else []))
    return found


def test_plateau_reduces_as_keras_does():
    part = SchedulePart(name="plateau", factor=0.2, patience=3, min_delta=0.1, smallest=0.01)
    losses = [1.0, 0.95, 0.94, 0.93, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    # Three epochs without an improvement of 0.1: epochs 2 to 4, then 6 to 8, then 9 to 11.
    found = rates(part, 12, 1, losses)
    assert found == pytest.approx([1.0] * 4 + [0.2] * 4 + [0.04] * 3 + [0.01])


def test_one_cycle_rises_to_the_rate_and_falls():
    found = rates(SchedulePart(name="one-cycle"), 100, 10)
    assert max(found) == pytest.approx(1.0)
    assert found.index(max(found)) == 29
    assert found[0] == pytest.approx(1 / 25)
    assert found[-1] < 1e-3
