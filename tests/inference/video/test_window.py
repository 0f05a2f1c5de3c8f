from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture
def screen():
    """A screen without a monitor; its name."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb: apt install xvfb")
    pytest.importorskip("tkinter")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    yield f":{server.stdout.readline().decode().strip()}"
    server.terminate()
    server.wait()


def test_a_window_shows_the_frames(screen, clip_path, tiny_model, tmp_path):
    shot = tmp_path / "screen.png"
    code = f"""
import sys
import PIL.ImageGrab
from mien.apps.cli.main import main
from mien.apps.cli.window import Window
show = Window.show
def show_and_grab(self, *arguments):
    show(self, *arguments)
    PIL.ImageGrab.grab(xdisplay={screen!r}).save({str(shot)!r})
Window.show = show_and_grab
sys.argv = ["mien", "live", {str(clip_path)!r}, "--model", {str(tiny_model)!r}, "--view", "window"]
main()
"""
    environment = {"DISPLAY": screen, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    import PIL.Image

    pixels = np.asarray(PIL.Image.open(shot).convert("RGB")).astype(int)
    # The clip's wall fills the window; the bare screen is black.
    assert (pixels[:240, :320].sum(axis=2) > 200).mean() > 0.5
    assert pixels[400:, 400:].max() < 60


def test_a_window_without_a_screen_is_one_sentence(mien, clip_path, tiny_model, monkeypatch):
    pytest.importorskip("tkinter")
    monkeypatch.delenv("DISPLAY", raising=False)
    code, _, err = mien("live", clip_path, "--model", tiny_model, "--view", "window")
    assert code == 2
    assert "No window can be opened" in err
    assert "Traceback" not in err
