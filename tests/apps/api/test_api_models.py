"""Whoever asks for a shipped model gets that one, and by which addresses."""

from __future__ import annotations

import shutil

import pytest

from apps.api.running import Running
from inference.tiny_models import write_model
from mien.apps.api.app import create_app
from mien.apps.api.settings import ServerSettings
from mien.errors import MienError


def test_another_model_of_a_shipped_ones_name_is_not_served(tmp_path):
    path = write_model(tmp_path / "my-model.onnx", name="mien-base")
    with pytest.raises(
        MienError, match=r"my-model\.onnx is called mien-base, as another that ship"
    ):
        create_app(ServerSettings(model=str(path), workers=1))


@pytest.mark.parametrize("path", ["/v1/videos/", "/v1/analyze/", "/v1/models/", "/docs/"])
def test_an_address_with_a_slash_too_many_is_told_so(server, face, path):
    answer = server.client.post(path, files={"file": face}, headers={"Host": "localhost"})
    assert (answer.status_code, "location" in answer.headers) == (404, False)
    assert answer.json() == {"detail": f"Not Found: POST {path}."}


def test_a_copy_of_a_shipped_model_is_that_model(tmp_path, shipped_base, face):
    copy = shutil.copy(shipped_base, tmp_path / "copy.onnx")
    with Running(model=str(copy), workers=1) as server:
        models = server.client.get("/v1/models").json()
        assert [model["name"] for model in models if model["default"]] == ["mien-base"]
        assert server.analyze(face).json()["model"] == "mien-base"
