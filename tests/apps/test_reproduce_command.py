import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import made_results as made
from living import all_end, children_of
from mien.data.store import write_store
from mien.labels import label_set
from mien.reproduction.job import wanted_jobs
from mien.reproduction.kinds import train as train_kind
from mien.reproduction.plan import shipped_plans
from mien.reproduction.store import Store

QUICK = ["reproduce", "kusno-chowanda", "--only", "model-8-ckplus48", "--quick"]


@pytest.fixture
def mien(mien, monkeypatch, tmp_path):
    """The program in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return mien


@pytest.fixture
def drawn(tmp_path):
    """A store of drawn faces under the name of CK+48, enough for a batch of 64."""
    write_store(made.faces_of("ckplus48", per_class=24), tmp_path / "ck")
    return tmp_path / "ck"


def test_without_a_paper_it_lists_what_is_still_to_run(mien):
    code, out, err = mien("reproduce")
    assert code == 0, err
    for paper in ("chen", "choudhari", "fatimatuzzahra", "kusno-chowanda", "mahastama"):
        assert re.search(rf"{paper} +│ +0 │ +[1-9]\d* │", out)
    assert "mien reproduce all --data" in err


@pytest.mark.slow
def test_a_quick_run_goes_to_a_folder_of_its_own_and_is_not_run_twice(
    mien, drawn, tmp_path, monkeypatch
):
    code, out, err = mien(*QUICK, "--data", drawn, "--page", "page.md")
    assert code == 0, err
    assert "1 of 3: kusno-chowanda model-8-ckplus48, paper, seed 0" in err
    assert "Model 8, CK+48" in out
    assert "Model 7" not in out
    folder = tmp_path / "runs" / "quick" / "kusno-chowanda"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"model-8-ckplus48-{protocol}-seed0.json" for protocol in ("honest", "leaky", "paper")
    ]
    assert not (tmp_path / "results").exists()
    assert "their figures mean" in (tmp_path / "page.md").read_text()
    monkeypatch.setattr(train_kind, "train", None)
    code, again, err = mien(*QUICK, "--data", drawn)
    assert (code, again) == (0, out)
    code, _, err = mien("reproduce", "--out", folder.parent)
    assert code == 2
    assert "is a quick result, which is not shown with the others" in err


def test_an_interruption_says_how_to_go_on(mien, drawn, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(train_kind, "train", interrupted)
    code, _, err = mien(*QUICK, "--data", drawn)
    assert code == 130
    assert "the same command continues" in err


@pytest.mark.slow
def test_control_c_ends_all_that_run_side_by_side(drawn, tmp_path):
    command = [sys.executable, "-m", "mien", "reproduce", "kusno-chowanda", "--jobs", "2"]
    command += ["--only", "model-8-ckplus48", "--data", drawn]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "runs").rglob("metrics.csv"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = children_of(process.pid)
    assert len(children) >= 2
    for _ in range(3):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted: the same command continues after the last whole epoch" in err
    assert "Traceback" not in err
    assert all_end(children)


def test_what_lacks_its_data_is_named(mien, drawn, monkeypatch):
    monkeypatch.setattr("mien.reproduction.attempt._run", lambda *_: None)
    code, _, err = mien("reproduce", "mahastama", "--data", drawn)
    assert code == 0
    assert re.search(r"scenario-3, scenario-6, .*: add --data of fer2013\.", err)
    assert "scenario-1, scenario-4, scenario-5" in err
    assert "IMED is given out by its authors on request." in err
    assert re.search(r"of \d+: mahastama scenario-2, paper, seed 0", err)


def test_an_average_of_results_needs_no_data(mien, tmp_path):
    store = Store(tmp_path / "results")
    (mean,) = wanted_jobs(shipped_plans(), "averaging", ["same"])
    all_of_it = wanted_jobs(shipped_plans(), "averaging", [])
    others = ", ".join(job.experiment.name for job in all_of_it if job != mean)
    labels = label_set("basic7")
    for seed, member in enumerate(mean.members):
        result = made.result(member, 0.5, data=made.data("fer2013", "f"))
        store.write(member, result, made.predictions(labels, seed))
    code, out, err = mien("reproduce", "averaging", "--out", store.folder)
    assert code == 0, err
    assert f"Not run: {others}: add --data of fer2013." in " ".join(err.split())
    assert mean in store
    assert re.search(rf"{mean.experiment.title} +│ equal", out)


@pytest.mark.parametrize("name", ["docs", "page.png", "folder.md"])
def test_a_page_that_is_no_markdown_is_said_before_the_work(mien, tmp_path, name):
    (tmp_path / "folder.md").mkdir()
    code, _, err = mien("reproduce", "--page", tmp_path / name, "--out", tmp_path / "results")
    assert code == 2
    assert "--page must be a Markdown file" in " ".join(err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["folder.md"]


@pytest.mark.slow
def test_protocols_and_seeds_can_be_chosen(mien, drawn, tmp_path):
    code, _, err = mien(*QUICK, "--protocol", "honest", "--seed", "0", "--data", drawn)
    assert code == 0, err
    written = [path.name for path in tmp_path.rglob("quick/kusno-chowanda/*.json")]
    assert written == ["model-8-ckplus48-honest-seed0.json"]


def test_what_fails_is_told_at_the_end(mien, drawn):
    few = drawn.parent / "few"
    write_store(made.faces_of("ckplus48", per_class=8), few)
    code, _, err = mien(*QUICK, "--data", few)
    assert code == 1
    assert err.count("training.batch_size must be at most the number of training faces") == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["chne"], "did you mean 'chen'"),
        (["chen", "--only", "fold"], "did you mean 'folds'"),
        (["chen", "--protocol", "hones"], "did you mean 'honest'"),
        (["chen", "--seed", "99"], "Nothing is run under seed 99. These experiments are run under"),
        (["chen"], "None of these experiments can be run with what --data gives"),
        (["chen", "--data", "none.zip"], "No such file or folder: none.zip"),
    ],
)
def test_mistakes_are_one_sentence(mien, arguments, sentence):
    code, _, err = mien("reproduce", *arguments)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.data
@pytest.mark.slow
def test_the_small_networks_are_reproduced_quickly_from_the_real_archive(
    mien, shared_data, tmp_path
):
    archive = shared_data / "ckplus" / "CK+48.zip"
    experiments = [part for n in (4, 8) for part in ("--only", f"model-{n}-ckplus48")]
    for command in (["kusno-chowanda", *experiments], ["chen"]):
        code, _, err = mien(
            "reproduce", *command, "--quick", "--data", archive, "--out", "q", "--page", "page.md"
        )
        assert code == 0, err
    text = (tmp_path / "page.md").read_text()
    rows = re.findall(r"(?m)^\| \[(?:Model [48], CK\+48|Test of 20 %|Five folds)\]\(.*$", text)
    figured = [row for row in rows if row.count(" [") >= 2]
    assert len(figured) >= 4
    assert "Model 8, CK+48 | CK+48 |" in text  # in the section on leakage
    for path in (tmp_path / "q").glob("*/*.json"):
        result = json.loads(path.read_text())
        assert result["quick"]
        assert result["data"]["name"] == "ckplus48"
        assert result["epochs"] == (10 if result["experiment"] == "folds" else 2)
