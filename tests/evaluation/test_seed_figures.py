"""A recipe's figures over its seeds: what they are by SciPy, and which faces they are of."""

import math

import numpy as np
import pytest
from scipy import stats

from mien.card import Figure, Head
from mien.evaluation.seeds.figures import ALL, UNLEAKED, HeadOverSeeds, SeedFigures
from mien.evaluation.seeds.page import figure_rows, seed_table
from mien.evaluation.seeds.picture import draw_seeds
from mien.evaluation.seeds.summary import summarise

HEAD = Head(name="basic7", expressions=("anger", "happiness"), temperature=1.5)


def figure(metric, value, half, subset=ALL, images=200, split="test"):
    return Figure(
        metric=metric,
        head="basic7",
        dataset="drawn",
        split=split,
        subset=subset,
        images=images,
        value=value,
        low=value - half,
        high=value + half,
    )


def a_seed(
    seed, figures, *, val=0.5, judged="same", faces="same", unleaked=None, split="test", epoch=3
):
    """A seed with figures by metric, each a value and half the width of its interval."""
    by_subset = {
        ALL: {m: figure(m, *f, split=split) for m, f in figures.items()},
        UNLEAKED: {
            m: figure(m, *f, subset=UNLEAKED, images=150 if unleaked else 200)
            for m, f in (unleaked or figures).items()
        },
    }
    return SeedFigures(
        seed=seed,
        epoch=epoch,
        val_accuracy=val,
        head=HEAD,
        split=split,
        figures=by_subset,
        precision="fp32",
        judged=judged,
        faces=faces,
    )


def accuracies(*values, half=0.02, **rest):
    return HeadOverSeeds(
        tuple(a_seed(n, {"accuracy": (v, half)}, **rest) for n, v in enumerate(values))
    )


VALUES = (0.61, 0.64, 0.60, 0.66)


def by_scipy(values):
    """Student's 95 % interval of a mean."""
    return stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))


def test_mean_deviation_and_interval_over_seeds_are_scipy_s():
    over = accuracies(*VALUES).over("accuracy")
    assert over.mean == pytest.approx(np.mean(VALUES))
    assert over.deviation == pytest.approx(np.std(VALUES, ddof=1))
    assert (over.low, over.high) == pytest.approx(by_scipy(VALUES))


def test_seeds_that_judge_the_same_faces_have_their_chance_added_in_squares():
    head = accuracies(*VALUES, half=0.05)
    half = by_scipy(VALUES)[1] - np.mean(VALUES)
    both = math.hypot(half, 0.05)
    wide = head.over("accuracy").with_faces
    assert head.same_faces()
    assert (wide.low, wide.high) == pytest.approx((np.mean(VALUES) - both, np.mean(VALUES) + both))
    assert (wide.seeds, wide.faces) == (4, 200)


@pytest.mark.parametrize(("half", "wider"), [(0.01, "seeds"), (0.2, "faces")])
def test_seeds_that_judge_other_faces_have_the_wider_interval(half, wider):
    seeds = [a_seed(n, {"accuracy": (v, half)}, judged=str(n)) for n, v in enumerate(VALUES)]
    head = HeadOverSeeds(tuple(seeds))
    mean = np.mean(VALUES)
    wanted = by_scipy(VALUES) if wider == "seeds" else (mean - half, mean + half)
    wide = head.over("accuracy").with_faces
    assert not head.same_faces()
    assert (wide.low, wide.high) == pytest.approx(wanted)


def test_other_training_faces_with_one_test_judge_the_same_faces_but_leak_otherwise():
    seeds = [
        a_seed(n, {"accuracy": (v, 0.05)}, faces=str(n), unleaked={"accuracy": (v - 0.1, 0.05)})
        for n, v in enumerate(VALUES)
    ]
    head = HeadOverSeeds(tuple(seeds))
    assert (head.same_faces(), head.same_faces(UNLEAKED)) == (True, False)
    assert head.subsets() == [ALL, UNLEAKED]
    over = head.over("accuracy", UNLEAKED)
    assert over.mean == pytest.approx(np.mean(VALUES) - 0.1)
    # .05 is wider than Student's .044 and not added to it.
    assert over.with_faces.high - over.mean == pytest.approx(0.05)
    assert head.over("accuracy").with_faces.high - np.mean(VALUES) > 0.06


def test_without_a_leaked_face_there_is_one_subset():
    assert accuracies(*VALUES).subsets() == [ALL]


def test_a_likelihood_may_be_above_one_and_no_figure_leaves_its_span():
    losses = (0.9, 1.4, 2.6)
    seeds = [
        a_seed(n, {"nll": (v, 0.1), "accuracy": (a, 0.1)})
        for n, (v, a) in enumerate(zip(losses, (0.7, 0.98, 0.99)))
    ]
    head = HeadOverSeeds(tuple(seeds))
    low, high = by_scipy(losses)
    assert low < 0
    nll = head.over("nll")
    assert (nll.low, nll.high) == pytest.approx((0.0, high))
    assert nll.with_faces.high == pytest.approx(np.mean(losses) + math.hypot(0.1, high - 4.9 / 3))
    accuracy = head.over("accuracy")
    assert (accuracy.high, accuracy.with_faces.high) == (1.0, 1.0)


def test_one_seed_is_as_its_bootstrap_says_within_what_there_can_be():
    found = summarise([figure("nll", 3.0, 0.5)], same_faces=True, within=(0.0, math.inf))
    assert (found.low, found.high) == (2.5, 3.5)
    assert summarise([figure("accuracy", 0.9, 0.2)], same_faces=True).high == 1.0


def test_what_not_all_seeds_have_is_no_figure():
    seeds = [
        a_seed(0, {"accuracy": (0.6, 0.1), "nll": (1.0, 0.1)}, val=None),
        a_seed(1, {"accuracy": (0.7, 0.1)}),
    ]
    head = HeadOverSeeds(tuple(seeds))
    assert (head.over("nll"), head.val_accuracy()) == (None, None)
    assert list(head.measured()) == ["accuracy"]
    assert seeds[1].row()["nll"] is None
    _, rows = seed_table(head)
    assert (rows[0][3], rows[1][-2]) == ("undefined", "undefined")


def test_the_accuracy_on_val_has_no_chance_of_faces_and_none_where_val_is_judged():
    seeds = [a_seed(n, {"accuracy": (0.6, 0.1)}, val=v) for n, v in enumerate((0.4, 0.6))]
    head = HeadOverSeeds(tuple(seeds))
    rows = figure_rows(head)
    # t of 1 degree of freedom 12.706 times .1414 / √2 is 1.27: all that there can be.
    assert rows["val_accuracy"] == ("0.5000", "0.1414", "0.000 to 1.000", "–")
    assert rows["accuracy"] == ("0.6000", "0.0000", "0.600 to 0.600", "0.500 to 0.700")
    on_val = accuracies(0.5, 0.6, split="val")
    assert list(on_val.measured()) == ["accuracy"]


def test_the_figure_has_a_dot_a_seed_and_an_axis_a_unit():
    seeds = [
        a_seed(n, {"accuracy": (v, 0.1), "macro_f1": (v, 0.1), "nll": (v + 1, 0.1)})
        for n, v in enumerate(VALUES)
    ]
    drawn = draw_seeds(HeadOverSeeds(tuple(seeds)))
    shares, nats = drawn.axes
    assert [label.get_text() for label in shares.get_yticklabels()] == ["accuracy", "macro F1"]
    assert nats.get_xlabel() == "nats, less is better"
    dots = [line.get_xdata() for line in shares.lines if line.get_marker() == "o"]
    assert [list(values) for values in dots] == [list(VALUES)] * 2
    means = [line.get_xdata()[0] for line in nats.lines if line.get_marker() == "D"]
    assert means == pytest.approx([np.mean(VALUES) + 1])


def test_json_has_every_seed_and_both_intervals():
    content = accuracies(*VALUES, half=0.05).as_dict()
    found = content["figures"]["all"]["accuracy"]
    assert (found["low"], found["high"]) == pytest.approx(by_scipy(VALUES))
    assert found["with_faces"]["low"] < found["low"]
    assert content["same_faces"] is True
    assert [row["accuracy"] for row in content["seeds"]] == list(VALUES)
    assert [row["temperature"] for row in content["seeds"]] == [1.5] * 4
