"""What all figures have in common."""

import io

import numpy as np
import PIL.Image
import pytest

from mien import figures
from mien.evaluation.sections.matrix import confusion_figure
from mien.labels import label_set


@pytest.mark.parametrize("labels", ["four", "basic7", "ferplus8"])
def test_titles_and_labels_of_a_matrix_are_not_cut(labels, tmp_path):
    names = label_set(labels).expressions
    with figures.style():
        matrix = confusion_figure(np.eye(len(names), dtype=np.int64), names)
        figures.on_page(matrix, tmp_path / "matrix", "a matrix")
    shown = np.asarray(PIL.Image.open(tmp_path / "matrix.png").convert("L"))
    edge = 3  # pixels; what is cut reaches the edge
    for strip in (shown[:edge], shown[-edge:], shown[:, :edge], shown[:, -edge:]):
        assert (strip == 255).all()
    assert (tmp_path / "matrix.svg").read_text().count(">Faces<") == 1


def test_equal_figures_give_equal_files(tmp_path):
    contents = []
    for name in ("a", "b"):
        with figures.style():
            figure = figures.new_figure(4, 3)
            figure.subplots().plot([0, 1], [1, 0])
            figures.on_page(figure, tmp_path / name, "a line")
        files = [(tmp_path / f"{name}{suffix}").read_bytes() for suffix in (".png", ".svg")]
        contents.append(files)
    assert contents[0] == contents[1]
    assert PIL.Image.open(io.BytesIO(contents[0][0])).size == (4 * figures.DPI, 3 * figures.DPI)
