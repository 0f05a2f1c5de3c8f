"""Networks, one family per file; `build_network` makes one from a recipe's names and options.

A network is a `FaceNetwork`: it is called with float (N, 1, H, W) and returns the logits of each
head, (N, classes).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from mien.errors import RecipeError, unknown_name
from mien.models.network import FaceNetwork
from mien.registry import Registry

NetworkBuilder = Callable[..., FaceNetwork]
"""Called with `heads`, the number of classes of each output by name, and the options."""

NETWORKS: Registry[NetworkBuilder] = Registry("network", "mien.models", RecipeError)


def build_network(name: str, heads: Mapping[str, int], options: Mapping[str, Any]) -> FaceNetwork:
    """Build a registered network with fresh weights.

    Args:
        name: Its name in the registry.
        heads: Number of classes of each output, by name, in order.
        options: Keyword arguments of its builder.

    Raises:
        RecipeError: For an unknown network or option, naming the nearest valid one, and for
            options it cannot be built with.
    """
    builder = NETWORKS[name]
    known = [p for p in inspect.signature(builder).parameters if p != "heads"]
    for option in options:
        if option not in known:
            raise RecipeError(unknown_name(f"option of network {name!r}", option, known))
    try:
        return builder(heads=heads, **options)
    except (TypeError, ValueError, RuntimeError, LookupError) as error:
        raise RecipeError(
            f"Network {name!r} cannot be built with {dict(options)}: {str(error).rstrip('.')}."
        ) from error
