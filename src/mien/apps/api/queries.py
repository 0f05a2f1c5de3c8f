"""Query parameters that a route does not know."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute

from mien.apps.api.received import client_name
from mien.apps.api.refusals import RefusedError
from mien.errors import unknown_name


async def only_known(request: Request) -> None:
    """Let a request through if its route knows all its query parameters; a dependency of routes.

    Raises:
        RefusedError: With 422, if it does not: what was asked for would silently not be done.
    """
    route: APIRoute = request.scope["route"]
    known = {field.alias for field in route.dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise RefusedError(422, unknown_name("query parameter", client_name(name), known))
