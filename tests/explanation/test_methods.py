import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from explanation.linear_models import anger
from mien.errors import MienError, ModelError
from mien.explanation.explainer import Explainer
from mien.explanation.explanation import Explanation
from mien.explanation.fill import filled
from mien.explanation.methods import METHODS
from mien.explanation.network import log_probabilities
from mien.explanation.output import Output
from mien.explanation.settings import Settings
from mien.inference.classifier import Classifier


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_gives_a_heatmap_for_every_expression(name, small_output, small_faces):
    method = METHODS[name](small_output, Settings())
    face = small_faces.images[0]
    before = face.copy()
    heatmaps = [method(face, target) for target in range(len(small_output.head.expressions))]
    for heatmap in heatmaps:
        assert heatmap.shape == (48, 48)
        assert heatmap.dtype == np.float64
        assert np.isfinite(heatmap).all()
    assert np.array_equal(face, before)
    assert np.array_equal(method(face, 0), heatmaps[0])
    assert not np.allclose(heatmaps[0], heatmaps[1])


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_explains_every_output(name, small_model, small_faces):
    classifier = Classifier(small_model)
    for head in classifier.card.heads:
        output = Output.of(classifier, head.name)
        (found,) = Explainer(output, [name]).explain(small_faces.images[1], "happy")
        assert (found.method, found.expression) == (name, "happiness")
        target = head.expressions.index("happiness")
        expected = classifier.classify(small_faces.images[1:2], head.name)[0, target]
        assert found.probability == pytest.approx(expected)


@pytest.mark.parametrize("patch_and_stride", [(8, 4), (5, 5), (7, 3)])
def test_occlusion_of_a_linear_model_is_known(linear_output, crop, patch_and_stride):
    patch, stride = patch_and_stride
    weights = np.random.default_rng(2).normal(size=(48, 48)) / 40
    output = linear_output(weights)
    found = METHODS["occlusion"](output, Settings("black", patch, stride))(crop, 0)
    sums, counts = np.zeros((48, 48)), np.zeros((48, 48))
    for y in range(stride - patch, 48, stride):
        for x in range(stride - patch, 48, stride):
            place = np.s_[max(y, 0) : y + patch, max(x, 0) : x + patch]
            hidden = crop.copy()
            hidden[place] = 0
            sums[place] += anger(weights, crop) - anger(weights, hidden)
            counts[place] += 1
    assert counts.min() >= 1
    assert np.allclose(found, sums / counts, atol=1e-6)


def test_occlusion_of_a_constant_model_is_zero(linear_output, crop):
    output = linear_output(np.zeros((48, 48)))
    assert not METHODS["occlusion"](output, Settings())(crop, 0).any()


def test_occlusion_asks_the_model_few_enough_times():
    from mien.explanation.methods.occlusion import _squares

    usual = Settings()
    assert len(_squares(48, usual.patch, usual.stride)) <= 400


@pytest.mark.parametrize("target", [0, 3])
def test_integrated_gradients_sum_to_the_difference(small_output, small_faces, target):
    """Completeness (Sundararajan et al., proposition 1)."""
    face = small_faces.images[2]
    heatmap = METHODS["integrated-gradients"](small_output, Settings(steps=200))(face, target)
    ends = np.stack([face, filled(face, "blur")])
    whole, empty = np.log(small_output.probability(ends, target))
    assert heatmap.sum() == pytest.approx(whole - empty, rel=0.02, abs=0.02)


def test_integrated_gradients_of_a_linear_network_are_known(small_output, small_faces):
    """Only one logit depends on the pixels: each has its share of the whole in w * (x - x')."""
    from captum.attr import IntegratedGradients

    from mien.explanation.network import LogProbabilities

    weights = torch.linspace(-1, 1, 48 * 48).reshape(1, 1, 48, 48) / 99

    class Linear(torch.nn.Module):
        def forward(self, images):
            logit = (images * weights).sum((1, 2, 3))
            return {"four": torch.stack([logit, *(logit * 0,) * 3], dim=1)}

    preprocess = small_output.preprocess
    network = LogProbabilities(Linear(), "four", 0.7, preprocess)
    method = METHODS["integrated-gradients"](small_output, Settings(fill="mean", steps=64))
    method._network, method._method = network, IntegratedGradients(network)
    face = small_faces.images[0]
    images = network.images(np.stack([face, filled(face, "mean")]))
    whole, empty = network(images)[:, 0].detach().numpy()
    parts = (weights * (images[:1] - images[1:])).numpy()[0, 0]
    expected = parts / parts.sum() * (whole - empty)
    assert np.allclose(method(face, 0), expected, atol=1e-5)


@pytest.mark.parametrize("layer", ["stages", "stages.0", "stem.2"])
def test_grad_cam_is_its_formula(small_output, small_faces, layer):
    """Selvaraju et al., equations 1 and 2 without the ReLU."""
    face = small_faces.images[3]
    found = METHODS["grad-cam"](small_output, Settings(layer=layer))(face, 2)
    network = log_probabilities(small_output)
    kept = {}
    handle = network.layer(layer).register_forward_hook(
        lambda _, __, result: kept.setdefault("maps", result.clone().requires_grad_())
    )
    scores = network(network.images(face[None]))
    handle.remove()
    (gradients,) = torch.autograd.grad(scores[0, 2], kept["maps"])
    cam = (gradients.mean((2, 3), keepdim=True) * kept["maps"]).sum(1, keepdim=True)
    expected = interpolate(cam, (48, 48), mode="bilinear")[0, 0].detach().numpy()
    assert np.allclose(found, expected, atol=1e-6)


def test_the_default_layer_is_the_last_useful_map(small_output):
    network = log_probabilities(small_output)
    assert network.layer() is network.network.stages
    maps = network.maps()
    assert list(maps.values())[-1][-1] == 12
    assert maps["stem.3"][-1] == 24


def test_the_rebuilt_network_says_what_the_file_says(small_output, small_faces):
    network = log_probabilities(small_output)
    with torch.inference_mode():
        found = network(network.images(small_faces.images)).exp().numpy()
    assert np.allclose(found, small_output.probabilities(small_faces.images), atol=1e-4)


def test_an_unknown_layer_names_the_nearest(small_output):
    with pytest.raises(
        MienError, match=r"Unknown layer with a map 'stage\.0': did you mean 'stage"
    ):
        METHODS["grad-cam"](small_output, Settings(layer="stage.0"))


def test_gradients_of_averaged_views_are_refused(small_output):
    card = small_output.classifier.card
    views = Output.of(Classifier(small_output.classifier.path))
    views.classifier.card = card.model_copy(update={"views": "flip"})
    with pytest.raises(ModelError, match="sees a face once"):
        METHODS["grad-cam"](views, Settings())


def test_unknown_names_are_said(small_output, small_faces):
    with pytest.raises(MienError, match="did you mean 'occlusion'"):
        Explainer(small_output, ["oclusion"])
    with pytest.raises(MienError, match="Unknown expression"):
        Explainer(small_output).explain(small_faces.images[0], "boredom")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fill": "blue"}, "Unknown fill"),
        ({"patch": 0}, "patch must be 1 pixel or more"),
        ({"stride": 9}, "stride must be 1 to 8"),
        ({"steps": 1}, "steps must be 2 or more"),
    ],
)
def test_settings_are_checked(changes, sentence):
    with pytest.raises(MienError, match=sentence):
        Settings(**changes)


def test_a_heatmap_is_checked():
    with pytest.raises(MienError, match="square and finite"):
        Explanation("occlusion", "anger", 0.5, np.full((4, 4), np.nan))
