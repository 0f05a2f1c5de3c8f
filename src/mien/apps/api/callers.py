"""Which pages may use the server from a browser."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import ServerSettings

OTHER_SITE = "Pages of other sites may not use this server; --origin lets one do so."

OTHER_NAME = "This server is not known by the name it was asked by; --server-name gives it more."


class Callers:
    """Refuses what pages of other sites send, and names that are not the server's.

    A browser lets any page send forms anywhere and says from which site it comes. A page whose
    site has moved its name to this machine passes for the server's own, but asks for that name.
    Programs say nothing of sites and are not refused.

    Args:
        settings: The server's names, and other sites that may use it.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._hosts = settings.hosts
        self._origins = settings.origins

    def refusal(self, scope: Scope) -> RefusedError | None:
        """Return why a request is refused; None if it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if self._hosts and host and _name(host) not in self._hosts:
            return RefusedError(403, OTHER_NAME)
        return None if self._known(headers, host) else RefusedError(403, OTHER_SITE)

    def _known(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin is None or "*" in self._origins or origin in self._origins:
            return True
        # Behind a proxy the server may be asked by another name than the browser's.
        own = headers.get("sec-fetch-site") == "same-origin"
        return own or origin.partition("://")[2] == host


def _name(host: str) -> str:
    """Return a host without its port; an IPv6 address keeps its brackets."""
    name, _, port = host.rpartition(":")
    return name if name and (port.isdigit() or not port) else host
