import json
import re

import numpy as np
import PIL.Image
import pytest

from mien.explanation.regions import REGIONS


def content(folder):
    return json.loads((folder / "explanations.json").read_text(encoding="utf-8"))


def check_page(folder):
    """The page is one file that loads nothing, and each of its figures is there for print."""
    page = (folder / "explain.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    figures = sorted(path.stem for path in folder.glob("*.png"))
    assert figures == sorted(path.stem for path in folder.glob("*.svg"))
    assert page.count("data:image/png") == len(figures)
    return figures


def test_every_face_of_a_photo_is_explained(mien, portrait, small_model, tmp_path):
    out = tmp_path / "new" / "explain"
    code, shown, err = mien("explain", small_model, portrait, "--out", out, "--method", "all")
    assert code == 0, err
    assert "face 0" in shown
    assert any(region in shown for region in REGIONS)
    assert check_page(out) == ["face-0"]
    (face,) = content(out)["faces"]
    assert set(face["faithfulness"]) == {"occlusion", "grad-cam", "integrated-gradients", "regions"}
    assert sum(face["areas"]) == pytest.approx(1, abs=1e-5)
    with np.load(out / "heatmaps.npz") as arrays:
        assert arrays["grad-cam"].shape == (1, 48, 48)


def test_a_dataset_is_explained_by_class(mien, small_fer2013, small_model, tmp_path):
    code, shown, err = mien(
        *("explain", small_model, small_fer2013[0], "--out", tmp_path / "out", "--faces", 9),
        *("--head", "basic7", "--balanced", "--feature-maps", "stages.0", "--filter", 3),
        *("--feature-maps", "stem", "--projection", "pca", "--projection", "t-sne"),
    )
    assert code == 0, err
    assert "occlusion" in shown
    assert "%" in shown
    figures = check_page(tmp_path / "out")
    assert {"classes", "regions", "faithfulness", "pca", "t-sne"} < set(figures)
    assert {"maps-stages-0", "maps-stem", "face-7"} < set(figures)
    found = content(tmp_path / "out")
    assert found["output"] == "basic7"
    assert found["chosen"].startswith("9 of 14 faces of fer2013 (test)")
    assert len(found["faces"]) == 9
    assert sum(one["count"] for one in found["classes"]) == 9


def test_a_run_is_explained_as_its_export_is(mien, small_fer2013, small_run, small_model, tmp_path):
    for name, model in (("run", small_run.folder), ("model", small_model)):
        arguments = ("--out", tmp_path / name, "--faces", 2, "--method", "grad-cam")
        code, _, err = mien("explain", model, small_fer2013[0], *arguments)
        assert code == 0, err
    run, model = (content(tmp_path / name)["faces"] for name in ("run", "model"))
    for one, other in zip(run, model, strict=True):
        assert one["expression"] == other["expression"]
        assert np.allclose(one["shapley"], other["shapley"], atol=1e-4)


def test_a_chosen_expression_is_explained(mien, portrait, small_model, tmp_path):
    out = tmp_path / "out"
    code, _, _ = mien("explain", small_model, portrait, "--out", out, "--expression", "sad")
    assert code == 0
    assert content(out)["faces"][0]["expression"] == "sadness"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--method", "gradcam"), "Unknown method of explanation 'gradcam': did you mean 'grad-"),
        (("--expression", "bored"), "Unknown expression 'bored'"),
        (("--head", "ferplus"), "Unknown model output 'ferplus': did you mean 'ferplus8'?"),
        (("--fill", "noise"), "Unknown fill 'noise'"),
        (("--stride", "20"), "The stride must be 1 to 8 pixels"),
        (("--regions", "median"), "must be 'own' or 'canonical'"),
        (("--detector", "yunnet"), "Unknown detector 'yunnet': did you mean 'yunet'?"),
        (("--projection", "pca"), "--projection shows the faces of a dataset"),
        (("--split", "val"), "are of datasets"),
        (("--balanced",), "are of datasets"),
        (("--faces", "1"), "are of datasets"),
        (("--seed", "0"), "are of datasets"),
        (("--projection", "umap"), "Unknown projection 'umap'"),
        (("--layer", "stages.1"), "--layer is of --method grad-cam: name that, too."),
        (("--steps", "8"), "--steps is of --method integrated-gradients: name that, too."),
        (("--method", "grad-cam", "--stride", "2"), "--stride is of --method occlusion: name"),
        (("--method", "grad-cam", "--layer", "stage"), "Unknown layer with a map 'stage'"),
        (("--feature-maps", "stages", "--filter", "999"), "filters of layer 'stages' are 0 to 31"),
    ],
)
def test_mistakes_are_one_sentence(mien, portrait, small_model, tmp_path, arguments, sentence):
    code, _, err = mien("explain", small_model, portrait, "--out", tmp_path, *arguments)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_photos_that_cannot_be_explained(mien, small_model, tmp_path):
    plain = tmp_path / "plain.png"
    PIL.Image.fromarray(np.full((60, 80, 3), 90, np.uint8)).save(plain)
    for source, sentence in (
        (plain, f"{plain}: No face was found in the photo."),
        (tmp_path / "missing.jpg", "does not exist"),
        (tmp_path / "clip.mp4", "clip.mp4 is a video: mien explain takes a photo or a dataset."),
        (tmp_path / "missing", "missing"),
    ):
        code, _, err = mien("explain", small_model, source, "--out", tmp_path / "out")
        assert code == 2
        assert sentence in err
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_projected_or_written_is_said_before_anything_long(
    mien, small_fer2013, small_model, tmp_path
):
    few = tmp_path / "few"
    for name in ("anger", "happiness"):
        (few / name).mkdir(parents=True)
        PIL.Image.fromarray(np.full((48, 48), 90, np.uint8)).save(few / name / "1.png")
    out = tmp_path / "out"
    code, _, err = mien("explain", small_model, few, "--projection", "pca", "--out", out)
    assert code == 2
    assert "A projection needs three labelled faces or more. Got 2 in" in err
    assert not out.exists()
    out.write_text("mine")
    code, _, err = mien("explain", small_model, small_fer2013, "--out", out)
    assert code == 2
    assert "must be a folder to write to. Got a file." in err
    assert out.read_text() == "mine"


def test_dollars_in_a_name_are_dollars(mien, small_model, tmp_path):
    generator = np.random.default_rng(0)
    for name in ("anger", "happiness"):
        (tmp_path / "faces" / name).mkdir(parents=True)
        face = generator.integers(0, 256, (48, 48)).astype(np.uint8)
        PIL.Image.fromarray(face).save(tmp_path / "faces" / name / "im_$1_$2_0.png")
    code, _, err = mien("explain", small_model, tmp_path / "faces", "--out", tmp_path / "out")
    assert code == 0, err
    assert "im_$1_$2_0" in (tmp_path / "out" / "face-0.svg").read_text()


@pytest.mark.data
def test_a_real_photo_and_real_faces(mien, shared_media, shared_models, shared_data, tmp_path):
    weights = shared_models / "face_detection_yunet_2026may.onnx"
    code, _, err = mien(
        *("explain", "mien-base", shared_media / "single_face.jpg", "--out", tmp_path / "photo"),
        *("--method", "all", "--detector", "yunet", "--detector-weights", weights),
    )
    assert code == 0, err
    (face,) = content(tmp_path / "photo")["faces"]
    assert face["expression"] == "happiness"
    strongest = max(zip(face["shapley"], REGIONS, strict=True))[1]
    assert strongest in ("mouth", "cheeks")  # the person in the photo smiles
    ckplus = shared_data / "ckplus" / "CK+48.zip"
    code, _, err = mien("explain", "mien-base", ckplus, "--out", tmp_path / "ck", "--faces", 8)
    assert code == 0, err
    (occlusion, regions) = content(tmp_path / "ck")["faithfulness"]
    assert occlusion["deletion_gain"]["value"] > 0
    assert regions["deletion_better"]["value"] > 0.7


def test_a_report_takes_the_place_of_an_earlier_one_alone(mien, small_model, tmp_path, portrait):
    two = tmp_path / "two.png"
    face = PIL.Image.open(portrait).convert("RGB")
    both = PIL.Image.new("RGB", (2 * face.width, face.height))
    for place in range(2):
        both.paste(face, (place * face.width, 0))
    both.save(two)
    out = tmp_path / "out"
    assert mien("explain", small_model, two, "--out", out)[0] == 0
    assert check_page(out) == ["face-0", "face-1"]
    (out / "notes.txt").write_text("mine")
    for _ in range(2):
        assert mien("explain", small_model, portrait, "--out", out)[0] == 0
        assert check_page(out) == ["face-0"]
    assert (out / "notes.txt").read_text() == "mine"
    # Its figures are no photos to read.
    code, shown, _ = mien("analyze", tmp_path, "--format", "csv")
    assert code == 0
    assert "face-0.png" not in shown
    own = tmp_path / "own"
    own.mkdir()
    (own / "face-0.png").write_text("mine")
    code, _, err = mien("explain", small_model, portrait, "--out", own)
    assert (code, "holds other files: give a new folder" in err) == (2, True)
