import os
import subprocess
import sys
from pathlib import Path

import pytest
from lightning.pytorch.callbacks import Callback

from makers import SMALL_RECIPE
from mien.errors import BusyError
from mien.recipe import find_recipe, load_recipe
from mien.training.run import Run
from mien.training.train import train

STOPS_AFTER_EPOCH_2 = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from lightning.pytorch.callbacks import Callback
from mien.data.readers import read_dataset
from mien.data.votes import join_votes
from mien.training.train import train
from test_sole_training import recipe

class Stops(Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 2:
            os.kill(os.getpid(), signal.SIGSTOP)

faces = join_votes(read_dataset({faces!r}), {votes!r})
train(recipe(), faces, Path({folder!r}), progress=False, callbacks=[Stops()])
"""


def recipe():
    return load_recipe(find_recipe("mien-base"), SMALL_RECIPE)


class Tries(Callback):
    """Tries to train in the run's folder once more, at the end of an epoch."""

    def __init__(self, dataset, folder):
        self.dataset, self.folder, self.told = dataset, folder, []

    def on_train_epoch_end(self, trainer, module):
        if trainer.current_epoch == 1:
            with pytest.raises(BusyError) as refused:
                train(recipe(), self.dataset, self.folder, resume=True, progress=False)
            self.told.append(str(refused.value))


def test_a_second_training_is_refused_and_the_first_is_not_disturbed(
    small_run, small_dataset, tmp_path
):
    tries = Tries(small_dataset, tmp_path / "run")
    run = train(recipe(), small_dataset, tmp_path / "run", progress=False, callbacks=[tries])
    assert tries.told == [
        f"{run.folder} is being trained in by another process: wait until that has ended, or give"
        " another folder."
    ]
    assert run.metrics_file.read_text() == small_run.metrics_file.read_text()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_a_killed_process_leaves_the_folder_free(small_run, small_fer2013, small_dataset, tmp_path):
    faces, votes = map(str, small_fer2013)
    run = Run(tmp_path / "run")
    script = STOPS_AFTER_EPOCH_2.format(
        paths=[str(Path(__file__).parent), str(Path(__file__).parents[1])],
        faces=faces,
        votes=votes,
        folder=str(run.folder),
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        with pytest.raises(BusyError, match="by another process"):
            train(recipe(), small_dataset, run.folder, resume=True, progress=False)
        assert run.epochs_done() == 2
    finally:
        process.kill()
        process.wait()
    train(recipe(), small_dataset, run.folder, resume=True, progress=False)
    assert run.metrics_file.read_text() == small_run.metrics_file.read_text()
