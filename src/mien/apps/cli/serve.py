"""`mien serve`: the API and the page."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mien.apps.cli.console import say
from mien.apps.cli.extras import need
from mien.errors import MienError
from mien.processes import usable_cpus

KEY = "MIEN_API_KEY"

HERE = ("localhost", "127.0.0.1", "[::1]")
"""Names that browsers have for this machine."""


def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for other machines, too.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 for any.", min=0, max=65535)] = 8000,
    model: Annotated[str, typer.Option(help="A shipped model or an ONNX file.")] = "mien-base",
    detector: Annotated[str, typer.Option(help="haar or yunet.")] = "haar",
    detector_weights: Annotated[
        Path | None, typer.Option("--detector-weights", help="The detector's weights.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads that read pictures; one per core by default.", min=1)
    ] = None,
    waiting: Annotated[int, typer.Option(help="Pictures that may wait.", min=1)] = 256,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", help="Another site whose pages may use the API. Repeatable."),
    ] = None,
    server_name: Annotated[
        list[str] | None,
        typer.Option(
            "--server-name",
            help="A name by which it may be asked, as a proxy's, beside localhost. Repeatable.",
        ),
    ] = None,
) -> None:
    """Serve the API and a web page; no picture leaves this machine.

    Set MIEN_API_KEY to ask clients for a key. Ctrl-C finishes what was accepted, a second one
    stops reading videos.
    """
    need("app", "Serving")
    from mien.apps.api.app import create_app
    from mien.apps.api.serving import GracefulServer, listen
    from mien.apps.api.settings import ServerSettings

    settings = ServerSettings(
        model=model,
        detector=detector,
        detector_weights=detector_weights,
        workers=workers or usable_cpus(),
        waiting=waiting,
        api_key=_key(),
        origins=tuple(origin or ()),
        hosts=_hosts(host, server_name or ()),
    )
    with listen(host, port) as listening:
        app = create_app(settings)
        try:
            server = GracefulServer(app, say)
            _greet(host, listening.getsockname()[1], locked=bool(settings.api_key))
            server.run([listening])
        finally:  # whatever ended it, no video stays
            app.state.service.close()


def _key() -> str:
    given = os.environ.get(KEY, "")
    key = given.strip()
    if given and not key:  # whoever sets one does not mean to let everybody in
        raise MienError(f"{KEY} must be of visible ASCII characters. Got blanks only.")
    return key


def _hosts(host: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names by which the server may be asked; none for any.

    What only this machine can reach has few. Any other server has all those that its machine has.
    """
    if not names and not _only_here(host):
        return ()
    return tuple(dict.fromkeys((*HERE, _in_url(host).lower(), *names)))


def _only_here(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _greet(host: str, port: int, *, locked: bool) -> None:
    everywhere = host in ("0.0.0.0", "::")
    shown = "localhost" if everywhere or _in_url(host) in HERE else _in_url(host)
    say(f"Open http://{shown}:{port}   The API: http://{shown}:{port}/docs   Stop: Ctrl-C")
    if not _only_here(host) and not locked:
        say(f"Everybody who reaches this machine can use it: set {KEY} to ask for a key.")
