"""How much of videos lies on the disk."""

from __future__ import annotations

import pytest

from apps.api.clip import write_clip
from apps.api.running import Running, wait
from mien.apps.api.settings import MEGABYTE


def kept(server) -> int:
    """Bytes of all that the server has of videos."""
    root = server.service.jobs.root
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def one(clip) -> int:
    """Bytes of the results of a video."""
    with Running(workers=1) as server:
        id_ = server.ended(server.upload(clip).json()["id"])["id"]
        names = [path.name for path in server.service.jobs[id_].folder.iterdir() if path.is_file()]
        assert sorted(names) == ["marked.mp4", "readings.csv", "readings.jsonl"]
        assert server.service.jobs[id_].kept == kept(server) > 10_000
        return kept(server)


def test_the_oldest_results_make_room(clip, one):
    with Running(workers=1, kept_bytes=2 * one + one // 2) as server:
        ids = [server.ended(server.upload(clip).json()["id"])["id"] for _ in range(4)]
        wait(lambda: len(server.service.jobs.counts()) and kept(server) <= 2.5 * one)
        status = [server.client.get(f"/v1/videos/{id_}/result").status_code for id_ in ids]
        assert status == [404, 404, 200, 200]
        assert len(list(server.service.jobs.root.iterdir())) == 2


def test_the_newest_results_stay_however_large(clip, one):
    with Running(workers=1, kept_bytes=1) as server:
        for _ in range(2):
            id_ = server.ended(server.upload(clip).json()["id"])["id"]
            assert server.client.get(f"/v1/videos/{id_}/result").status_code == 200
        wait(lambda: len(list(server.service.jobs.root.iterdir())) == 1)
        assert kept(server) == pytest.approx(one, rel=0.01)


def test_a_marked_copy_that_grows_too_large_is_given_up(portrait, tmp_path):
    path = write_clip(tmp_path / "a.mp4", portrait, frames=200)
    with Running(workers=1, marked_bytes=MEGABYTE // 10) as server:
        job = server.ended(server.upload(path).json()["id"])
        assert (job["status"], job["frames"]) == ("done", 200)
        assert job["message"] == (
            "There is no marked copy: A marked copy may have 0.1 megabytes (2^20 bytes). Got more."
        )
        url = f"/v1/videos/{job['id']}/result"
        assert server.client.get(url, params={"format": "video"}).status_code == 409
        assert server.client.get(url, params={"format": "timeline"}).status_code == 200
        assert not list(server.service.jobs[job["id"]].folder.glob("*.mp4"))
