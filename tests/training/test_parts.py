"""Optimisers, schedules, batches and targets."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from mien.data.votes import distribution, majority
from mien.labels import VOTES, label_set
from mien.recipe import HeadPart, OptimiserPart, SchedulePart, TrainingPart
from mien.training.batches import Batches
from mien.training.callbacks import averaging
from mien.training.optimisers import build_optimiser
from mien.training.schedules import build_schedule
from mien.training.targets import head_targets

HEADS = (HeadPart(labels="basic7"), HeadPart(labels="ferplus8", target="votes"))


def test_decay_spares_biases_and_normalisation():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    part = OptimiserPart(name="sgd", learning_rate=0.1, weight_decay=0.5)
    decayed, spared = build_optimiser(network, part).param_groups
    assert [tuple(p.shape) for p in decayed["params"]] == [(2, 1, 3, 3)]
    assert len(spared["params"]) == 3
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.5, 0.0)


def test_one_step_of_nesterov_is_the_hand_computed_one():
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(1.0)
    optimiser = build_optimiser(layer, OptimiserPart(name="sgd", learning_rate=0.1))
    layer.weight.grad = torch.tensor([[2.0]])
    optimiser.step()
    assert layer.weight.item() == pytest.approx(1 - 0.1 * (2 + 0.9 * 2))


def test_the_schedule_warms_up_and_falls_to_zero():
    optimiser = build_optimiser(nn.Linear(1, 1), OptimiserPart(name="adamw", learning_rate=1.0))
    part = SchedulePart(name="cosine", warmup_epochs=1)
    schedule = build_schedule(optimiser, part, steps=12, steps_per_epoch=4)
    rates = []
    for _ in range(12):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == pytest.approx([0.5 * (1 + np.cos(np.pi * i / 8)) for i in range(8)])
    assert optimiser.param_groups[0]["lr"] == pytest.approx(0)


def test_batches_shuffle_pairs_and_lose_nothing_in_order(small_dataset):
    ordered = list(Batches(small_dataset, HEADS, 9, shuffle=False))
    assert sum(len(b.images) for b in ordered) == len(small_dataset)
    np.testing.assert_array_equal(
        torch.cat([b.images for b in ordered])[:, 0].numpy(), small_dataset.images
    )
    by_image = {i.tobytes(): t for i, t in zip(small_dataset.images, small_dataset.targets)}
    shuffled = Batches(small_dataset, HEADS, 9, shuffle=True)
    first, second = list(shuffled), list(shuffled)
    assert len(first) == len(shuffled) == len(small_dataset) // 9
    assert not torch.equal(first[0].images, second[0].images)
    twins = {small_dataset.images[0].tobytes()}
    for batch in first:
        for image, truth, shares in zip(
            batch.images, batch.truth["basic7"], batch.shares["basic7"]
        ):
            key = image[0].numpy().tobytes()
            assert key in twins or by_image[key] == int(truth) == int(shares.argmax())


def test_targets_come_from_votes_and_labels(small_dataset):
    from_votes = head_targets(small_dataset, HEADS[1])
    np.testing.assert_array_equal(from_votes.shares, distribution(small_dataset.votes))
    np.testing.assert_array_equal(from_votes.truth, majority(small_dataset.votes))
    four = head_targets(small_dataset, HeadPart(labels="four"))
    kept = [s.expression in label_set("four").expressions for s in small_dataset]
    np.testing.assert_array_equal(four.truth >= 0, kept)
    np.testing.assert_array_equal(four.shares.sum(1), np.array(kept, float))
    four_votes = head_targets(small_dataset, HeadPart(labels="four", target="votes"))
    places = label_set("four").positions_in(label_set("ferplus8"))
    np.testing.assert_array_equal(four_votes.shares, distribution(small_dataset.votes)[:, places])
    # One rater who saw happiness among nine who saw surprise makes a tenth of a happy face.
    votes = small_dataset.votes.copy()
    votes[0] = [{"happiness": 1, "surprise": 9}.get(vote, 0) for vote in VOTES]
    stray = dataclasses.replace(small_dataset, votes=votes)
    shares = head_targets(stray, HeadPart(labels="four", target="votes")).shares[0]
    wanted = [0.1 if e == "happiness" else 0 for e in label_set("four").expressions]
    assert shares.tolist() == pytest.approx(wanted)


def test_a_teacher_says_what_a_faces_own_targets_lack(small_dataset):
    head = HeadPart(labels="four", target="votes")
    own = torch.from_numpy(head_targets(small_dataset, head).shares)
    said = torch.rand(len(small_dataset), 4, generator=torch.Generator().manual_seed(0)).softmax(1)
    batches = Batches(small_dataset, [head], 7, shuffle=False)
    batches.blend({"four": said}, 0.3)
    blended = torch.cat([batch.shares["four"] for batch in batches])
    assert torch.allclose(blended.sum(1), torch.ones(len(blended)))
    full, none = own.sum(1) > 0.999, own.sum(1) == 0
    assert torch.allclose(blended[full], 0.7 * own[full] + 0.3 * said[full])
    assert torch.allclose(blended[none], said[none])


def test_the_moving_average_forgets_its_start_fast_and_then_keeps_the_decay():
    (callback,) = averaging(TrainingPart(epochs=1, batch_size=1, ema_decay=0.99))
    average = callback._kwargs["avg_fn"]
    zero, one = torch.zeros(1), torch.ones(1)
    assert float(average(zero, one, torch.tensor(1))) == pytest.approx(1 - 2 / 11)
    assert float(average(zero, one, torch.tensor(10_000))) == pytest.approx(0.01)
    count = torch.tensor(7)
    assert average(torch.tensor(3), count, torch.tensor(1)) is count
    assert averaging(TrainingPart(epochs=1, batch_size=1)) == []
