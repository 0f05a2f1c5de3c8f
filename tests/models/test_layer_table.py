"""The table of layers, against the table Kusno and Chowanda print for their model 2."""

import pytest

from mien.errors import RecipeError
from mien.models import build_network
from mien.models.keras_layers import keras_parameters
from mien.models.layer_table import layer_table

PRINTED = [
    ("Conv2d", (46, 46, 32)),
    ("Conv2d", (44, 44, 64)),
    ("MaxPool2d", (22, 22, 64)),
    ("Dropout", (22, 22, 64)),
    ("Conv2d", (20, 20, 128)),
    ("MaxPool2d", (10, 10, 128)),
    ("Conv2d", (8, 8, 256)),
    ("MaxPool2d", (4, 4, 256)),
    ("Dropout", (4, 4, 256)),
    ("Flatten", (4096,)),
    ("Linear", (1024,)),
    ("KerasBatchNorm1d", (1024,)),
    ("Dropout", (1024,)),
    ("Linear", (7,)),
]


def test_model_2_has_the_printed_layers():
    network = build_network("kusno-chowanda", {"ckplus7": 7}, {"model": 2})
    rows = layer_table(network)
    # Keras counts an activation as part of its layer.
    assert [(row.kind, row.shape) for row in rows if row.kind != "ReLU"] == PRINTED
    assert sum(row.parameters for row in rows) == keras_parameters(network) == 4_594_439
    assert {row.name: row.parameters for row in rows}["layers.conv2"] == 9 * 32 * 64 + 64


def test_a_network_is_left_as_it_was():
    network = build_network("mien-se-resnet", {"four": 4}, {}).train()
    statistics = network.stem[1].running_mean.clone()
    rows = layer_table(network, 64)
    assert sum(row.parameters for row in rows) == keras_parameters(network)
    assert network.training
    assert not any(layer._forward_hooks for layer in network.modules())
    assert bool((network.stem[1].running_mean == statistics).all())


def test_a_face_of_the_wrong_size_is_refused_and_leaves_no_hook():
    network = build_network("choudhari", {"four": 4}, {})
    with pytest.raises(RecipeError, match="must be the size of the faces, 64x64 pixels"):
        layer_table(network, 64)
    assert not any(layer._forward_hooks for layer in network.modules())
