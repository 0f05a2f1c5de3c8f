"""Whatever the schema allows is answered as the schema says, and nothing is answered with 500."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

ROUTES = [
    ("/v1/analyze", "POST"),
    ("/v1/explain", "POST"),
    ("/v1/videos", "POST"),
    ("/v1/videos/{id}", "GET"),
    ("/v1/videos/{id}", "DELETE"),
    ("/v1/videos/{id}/result", "GET"),
    ("/v1/models", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/metrics", "GET"),
]

WITH_INPUT = [ROUTES[0], ROUTES[1], ROUTES[2], ROUTES[5]]
"""Routes that can be sent what the schema forbids."""


@pytest.fixture(scope="module")
def schema(server):
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_no_route_is_forgotten(schema):
    found = [operation.ok() for operation in schema.get_all_operations()]
    assert sorted((one.path, one.method.upper()) for one in found) == sorted(ROUTES)


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [(*route, GenerationMode.POSITIVE) for route in ROUTES]
    + [(*route, GenerationMode.NEGATIVE) for route in WITH_INPUT],
)
def test_every_route_does_what_the_schema_says(schema, path, method, mode):
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    def ask(case):
        # That a string is a picture cannot be said in a schema: what is allowed may be refused.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()
