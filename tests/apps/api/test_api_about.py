import re

import pytest

from apps.api.running import Running
from inference.tiny_models import write_model
from mien import __version__
from mien.inference.zoo import model_path, read_card


def test_models(server):
    answer = server.client.get("/v1/models").json()
    (model,) = [one for one in answer if one["default"]]
    assert model["name"] == "mien-base"
    assert len(model["expressions"]) == 8
    assert model["parameters"] > 100_000
    assert model["doubt"] == read_card(model_path("mien-base")).doubt.model_dump()


def test_a_model_without_signals_has_no_bounds_for_them(tmp_path):
    with Running(model=str(write_model(tmp_path / "own.onnx")), workers=1) as server:
        doubt = {one["name"]: one["doubt"] for one in server.client.get("/v1/models").json()}
    assert doubt["tiny"] == {"confidence": 0.5, "agreement": None, "not_a_face": None}


def test_health(server):
    assert server.client.get("/healthz").json() == {"status": "ok"}
    assert server.client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_head_is_get_without_the_body(server, path):
    answer = server.client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    whole = server.client.get(path)
    for name in ("content-type", "content-length"):
        assert answer.headers[name] == whole.headers[name]


def test_the_schema_names_every_route(server):
    schema = server.client.get("/openapi.json").json()
    assert schema["info"]["version"] == __version__
    assert {(method, path) for path, ways in schema["paths"].items() for method in ways} == {
        ("post", "/v1/analyze"),
        ("post", "/v1/explain"),
        ("post", "/v1/videos"),
        ("get", "/v1/videos/{id}"),
        ("delete", "/v1/videos/{id}"),
        ("get", "/v1/videos/{id}/result"),
        ("get", "/v1/models"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
    }


def counted(server, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", server.client.get("/metrics").text, re.M)
    return float(found[1]) if found else 0.0


def test_metrics_count(face):
    with Running() as server:
        server.analyze(face, b"no picture", face)
        server.analyze(b"no picture")
        route = 'route="/v1/analyze"'
        assert counted(server, f'mien_requests_total{{{route},status="200"}}') == 1
        assert counted(server, f'mien_requests_total{{{route},status="422"}}') == 1
        assert counted(server, f"mien_request_seconds_count{{{route}}}") == 2
        assert counted(server, 'mien_pictures_total{status="ok"}') == 2
        assert counted(server, 'mien_pictures_total{status="error"}') == 2
        assert counted(server, "mien_faces_total") == 2
        server.client.get("/somewhere/else")
        assert counted(server, 'mien_requests_total{route="other",status="404"}') == 1
        assert "jpg" not in server.client.get("/metrics").text


def test_metrics_count_faces_of_videos_and_explanations(face, clip):
    with Running() as server:
        assert counted(server, 'mien_videos{status="done"}') == 0
        job = server.ended(server.upload(clip).json()["id"])
        assert counted(server, 'mien_videos{status="done"}') == 1
        assert counted(server, 'mien_videos{status="running"}') == 0
        assert counted(server, "mien_faces_total") == job["faces"] == 20
        server.client.post("/v1/explain", files={"files": face}).raise_for_status()
        assert counted(server, "mien_faces_total") == 21
        server.client.delete(f"/v1/videos/{job['id']}")
        assert counted(server, 'mien_videos{status="done"}') == 0


def test_what_is_not_there(server):
    answer = server.client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Not Found: GET /v1/nothing.")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/analyze", "POST"),
        ("/v1/videos/1", "DELETE, GET"),
        ("/v1/videos/1/result", "GET"),
        ("/healthz", "GET, HEAD"),
        ("/", "GET, HEAD"),
    ],
)
def test_what_an_address_takes_is_said_where_it_takes_another(server, path, allowed):
    answer = server.client.put(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.fixture(scope="module")
def locked():
    with Running(api_key="geheim", origins=("https://app.example",)) as running:
        yield running


@pytest.mark.parametrize("key", [None, "", "gehei", "geheimx", "geheim-ß"])
def test_the_key_is_asked_for(locked, face, key):
    headers = {} if key is None else {"X-API-Key": key.encode()}
    for answer in (
        locked.client.post("/v1/analyze", files={"files": face}, headers=headers),
        locked.client.get("/v1/models", headers=headers),
        locked.client.get("/v1/videos/1/result", headers=headers),
        locked.client.delete("/v1/nothing", headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.json() == {"detail": "Send the server's key as X-API-Key."}


def test_the_key_opens(locked, face):
    headers = {"X-API-Key": "geheim"}
    answer = locked.client.post("/v1/analyze", files={"files": face}, headers=headers)
    assert answer.status_code == 200


def test_page_and_health_need_no_key(locked):
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"):
        assert locked.client.get(path).status_code == 200


def test_the_schema_names_the_key(locked, server):
    schema = locked.client.get("/openapi.json").json()
    assert schema["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "X-API-Key"
    assert "security" in schema["paths"]["/v1/analyze"]["post"]
    assert "securitySchemes" not in server.client.get("/openapi.json").json()["components"]


ASKING = {
    "Origin": "https://app.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-api-key",
}


def test_other_sites_may_not_use_it(server, face):
    assert server.client.options("/v1/analyze", headers=ASKING).status_code == 403
    answer = server.client.get("/v1/models", headers=ASKING)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    for origin in ("https://app.example", "null", f"http://localhost:{server.port}"):
        for site in ({}, {"Sec-Fetch-Site": "same-site"}):
            headers = {"Origin": origin, **site}
            answer = server.client.post("/v1/analyze", files={"files": face}, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["detail"].startswith("Pages of other sites may not use")


def test_its_own_page_may_use_it_behind_a_proxy_too(server, face):
    proxied = {"Origin": "https://mien.example", "Sec-Fetch-Site": "same-origin"}
    passed_on = {"Origin": "https://mien.example", "Host": "mien.example"}
    for headers in ({"Origin": server.url}, proxied, passed_on):
        answer = server.client.post("/v1/analyze", files={"files": face}, headers=headers)
        assert answer.status_code == 200


def test_a_server_that_knows_its_names_answers_to_no_others():
    with Running(hosts=("localhost", "127.0.0.1", "[::1]", "mien.example")) as server:
        for host in ("localhost", "LOCALHOST:80", "127.0.0.1:9000", "[::1]", "[::1]:8000", ""):
            assert server.client.get("/", headers={"Host": host}).status_code == 200
        own = {"Host": "mien.example", "Origin": "https://mien.example"}
        assert server.client.get("/v1/models", headers=own).status_code == 200
        for host in ("evil.example", "localhost.evil.example:8000", "[::2]", "127.0.0.2", ":80"):
            answer = server.client.get("/v1/models", headers={"Host": host})
            assert answer.status_code == 403
            assert "is not known by the name" in answer.json()["detail"]


def test_other_sites_may_use_it_when_told_so(locked):
    answer = locked.client.options("/v1/analyze", headers=ASKING)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    answer = locked.client.get("/v1/models", headers={"Origin": "https://app.example"})
    exposed = answer.headers["access-control-expose-headers"]
    assert exposed == "Retry-After, Content-Disposition"
    other = {**ASKING, "Origin": "https://evil.example"}
    answer = locked.client.options("/v1/analyze", headers=other)
    assert "access-control-allow-origin" not in answer.headers


def test_the_files_of_the_page_are_all_it_gives(server):
    assert server.client.get("/static/page.css").status_code == 200
    for name in ("page.py", "../page.py", "..%2fpage.py", "%2fetc%2fpasswd", ""):
        assert server.client.get(f"/static/{name}").status_code == 404
