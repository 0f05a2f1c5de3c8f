import re
from pathlib import Path

import pytest
from PIL import Image

import made_results as made
from mien.recipe import find_recipe
from mien.reproduction.findings import Findings
from mien.reproduction.job import jobs_of
from mien.reproduction.page.picture import DRAWN, beside, fingerprint, panels
from mien.reproduction.page.write import page, write_page
from mien.reproduction.plan import shipped_plans
from mien.reproduction.result import Average, Compared, Draws, Trial
from mien.reproduction.store import Store

REPOSITORY = Path(__file__).parents[2]

MEMBERS = [{"paper": "a", "experiment": "net", "seed": seed} for seed in (0, 1)]

PLANS = {
    "a": made.plan(
        {"name": "net", "seeds": [0, 1], "headline": True, "by_class": True},
        {"name": "folds", "kind": "crossval", "folds": 5},
        {"name": "noted", "note": "without leaks it is {honest:net} and as printed {paper:net}."},
        {"name": "grid", "kind": "grid", "space": "x", "protocols": ["honest"]},
        {"name": "lent", "recipe": "mahastama-1-imed", "overrides": [], "protocols": ["paper"]},
        discussion="In all it is {leaky:net}.",
    ),
    "b": made.plan(
        {"name": "mean", "kind": "average", "members": MEMBERS, "protocols": ["honest"]}
    ),
}


def compared(low, best):
    return Compared(
        name="net",
        share=0.5,
        accuracy=0.7,
        difference=0.02,
        low=low,
        high=0.04,
        p=0.0004,
        best=best,
    )


DRAWS = Draws(split="test", faces=1970, per_class=50, accuracies=(0.7, 0.75, 0.8))
AVERAGE = Average(
    weights="equal",
    figures=made.figures(0.72, "test"),
    members=(compared(-0.5, False), compared(0.01, True)),
)
TRIALS = tuple(
    Trial(values={"training.batch_size": size}, value=value, epochs=10, after={5: value - 0.1})
    for size, value in ((16, 0.5), (32, 0.6))
)
MORE = {
    "net": {"draws": DRAWS},
    "mean": {"averages": [AVERAGE]},
    "grid": {"trials": TRIALS},
}


def found(folder, protocols=("paper", "honest"), *, quick=False, **values):
    """Made-up results: of each experiment named, its value."""
    store = Store(folder / "results", quick)
    for paper in PLANS:
        for job in jobs_of(PLANS, paper, quick=quick):
            name = job.experiment.name
            if name in values and job.protocol in protocols:
                store.write(job, made.result(job, values[name], **MORE.get(name, {})))
    return Findings(PLANS, store)


def written(folder, *protocols, **options):
    """The page of made-up results."""
    return page(found(folder, *protocols, **options), folder / "docs" / "page.md")


def drawn(path):
    """The fingerprint of the figures in a picture."""
    with Image.open(path) as picture:
        return picture.text[DRAWN]


def test_the_committed_page_is_what_the_results_give():
    path = REPOSITORY / "docs" / "reproduction.md"
    found = page(Findings(shipped_plans(), Store(REPOSITORY / "results")), path)
    assert found == path.read_text(encoding="utf-8"), (
        "docs/reproduction.md is not what results/ gives: mien reproduce --page with its name"
    )


def test_the_committed_picture_is_of_these_results():
    figures = panels(Findings(shipped_plans(), Store(REPOSITORY / "results")))
    assert drawn(REPOSITORY / "docs" / "reproduction.png") == fingerprint(figures)


def test_no_committed_accuracy_is_certain():
    for result in Findings(shipped_plans(), Store(REPOSITORY / "results")).all():
        for figure in result.figures:
            assert figure.metric != "accuracy" or figure.low < figure.high, result.experiment


def test_every_committed_result_is_of_a_planned_job():
    findings = Findings(shipped_plans(), Store(REPOSITORY / "results"))
    results = [(job, findings.store.path(job)) for job in findings.jobs.values()]
    tables = {path.with_suffix(".parquet") for job, path in results if job.kept}
    kept = {*(path for _, path in results), *tables}
    papers = [REPOSITORY / "results" / paper for paper in findings.plans]
    strays = [path for folder in papers for path in folder.glob("*") if path not in kept]
    assert not strays


def test_committed_predictions_are_what_their_results_are_of():
    findings = Findings(shipped_plans(), Store(REPOSITORY / "results"))
    store = findings.store
    kept = [job for job in findings.jobs.values() if job.kept and store.done(job)]
    assert kept
    for job in kept:
        result, table = store.kept(job)
        test = table.judged("test")
        figure = result.accuracy("test")
        assert len(test) == figure.images
        assert (test.probabilities.argmax(1) == test.truth).mean() == pytest.approx(figure.value)


def test_without_results_there_is_no_figure_of_ours(tmp_path):
    text = written(tmp_path)
    assert "not run yet: about 2.0 min" in text
    assert "not run: IMED is given out by its authors on request" in text
    assert not re.search(r"\d \[", text)
    assert text.count("Not run yet.") == 2  # leakage and draws
    assert "Python" not in text


def test_figures_stand_beside_the_paper_s_with_links_to_their_runs(tmp_path):
    text = written(tmp_path, net=0.84)
    (row,) = re.findall(r"(?m)^\| \[net\].*paper \[0\].*$", text)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    name, recipe = re.fullmatch(r"\[(\w+)\]\((.*)\)", cells[0]).groups()
    assert name == "net"
    assert (tmp_path / "docs" / recipe).resolve() == find_recipe("chen").resolve()
    assert cells[1:5] == [
        "0.8325 test",
        "0.840 [0.830, 0.850], 2 seeds",
        "+0.7 [-3.9, +6.7]: not told apart",
        "0.840 [0.830, 0.850], 2 seeds",
    ]
    assert "figures of the papers that could be compared ours are: 0 higher, 0 lower, 1 not" in text
    assert cells[5:8] == ["0.840 [0.830, 0.850], 2 seeds", "50", "6.0 min"]
    for link in re.findall(r"\]\((\S+?)\)", cells[8]):
        assert (tmp_path / "docs" / link).resolve().is_file()
    assert cells[8].count("](") == 4
    assert "4 runs, 6.0 min together" in text


def test_the_picture_stands_beside_the_page_and_changes_with_the_figures(tmp_path):
    prints = set()
    for value in (0.84, 0.85):
        path = tmp_path / f"{value}" / "page.md"
        findings = found(path.parent, net=value, folds=0.7)
        assert write_page(findings, path) == [path, beside(path)]
        assert f"(<{beside(path).name}>)" in path.read_text(encoding="utf-8")
        prints.add(drawn(beside(path)))
    assert len(prints) == 2


def test_without_results_there_is_no_picture(tmp_path):
    assert write_page(found(tmp_path), tmp_path / "page.md") == [tmp_path / "page.md"]
    assert "![" not in (tmp_path / "page.md").read_text(encoding="utf-8")
    assert not beside(tmp_path / "page.md").exists()


def test_an_experiment_without_a_printed_figure_is_drawn_too(tmp_path):
    assert panels(found(tmp_path / "none")) == []
    ((_, rows),) = panels(found(tmp_path, ["honest"], folds=0.7))
    assert [(row.experiment.name, row.reported.value, row.measured) for row in rows] == [
        ("folds", None, None)
    ]


def test_notes_wait_for_the_figures_that_they_name(tmp_path):
    assert "as printed" not in written(tmp_path / "none")
    assert "as printed" not in written(tmp_path / "half", ["paper"], net=0.84)
    text = written(tmp_path / "all", net=0.84)
    assert "- noted: without leaks it is 0.840 and as printed 0.840." in text
    assert "In all it is" not in text


def test_what_is_half_run_says_how_much_is_left(tmp_path):
    text = written(tmp_path, ["paper"], net=0.84)
    assert "about 2.0 min to run" in text


def test_the_sections_appear_with_their_results(tmp_path):
    text = written(tmp_path, net=0.84, mean=0.72, grid=0.6, folds=0.7)
    assert "| A paper: net | CK+48 | 0.840 [0.830, 0.850], 2 seeds |" in text
    assert "On CK+48 the differences are +0.0 points, in the one experiment;" in text
    assert "intervals that lie above 0: 0 of 1." in text
    assert "3 tests of 50 faces a class, of one and the same network" in text
    assert "came out between 0.700 and 0.800." in text
    assert "Hardest are fear and anger." in text
    assert re.search(r"\| fear \(\d+\) \| anger \(\d+\) \|", text)
    assert "- mean, equal shares: the average is better than the network that validation" in text
    cells = "0.700 to 0.700 | +2.0 | net, 0.700 | +2.0 [+1.0, +4.0] | < 0.001 |"
    assert cells in text
    best, worse = (text.index(f"| {size} | 0.") for size in (32, 16))
    assert best < worse
    assert "| – | 0.700 [0.690, 0.710] | – | 0.700 [0.690, 0.710] |" in text


@pytest.mark.parametrize(
    ("low", "high", "p", "words"),
    [
        (0.01, 0.03, 0.01, "is better than the network"),
        (-0.03, -0.01, 0.01, "is worse than the network"),
        (-0.01, 0.03, 0.01, "cannot be told from the network"),
        (0.01, 0.03, 0.03, "cannot be told from the network"),  # of two averages: p = .06
    ],
)
def test_an_average_is_better_only_where_its_interval_and_its_test_say_so(
    tmp_path, monkeypatch, low, high, p, words
):
    middle = {"high": high, "difference": (low + high) / 2, "p": p}
    best = compared(low, True).model_copy(update=middle)
    other = compared(low, True).model_copy(update={"p": 0.5, "low": -0.1})
    average = AVERAGE.model_copy(update={"members": (best,)})
    more = AVERAGE.model_copy(update={"members": (other,)})
    monkeypatch.setitem(MORE, "mean", {"averages": [average, more]})
    assert f"the average {words}" in written(tmp_path, mean=0.7)


def test_a_quick_page_says_so(tmp_path):
    assert "their figures mean nothing" in written(tmp_path, quick=True, net=0.5).replace("\n", " ")
    assert "their figures mean nothing" not in written(tmp_path / "full", net=0.5)
