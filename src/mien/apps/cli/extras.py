"""Commands that need optional dependencies say so before they start."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from mien.errors import MissingExtraError

EXTRAS = {
    "parquet": ("pyarrow",),
    "train": ("torch", "lightning", "kornia", "scipy", "onnx", "sklearn", "optuna", "captum"),
    "video": ("av", "scipy"),
    "app": ("fastapi", "uvicorn", "multipart", "prometheus_client", "av", "scipy"),
}


def need(extra: str, feature: str, modules: Sequence[str] = ()) -> None:
    """Check that an extra is installed, without importing it.

    Args:
        extra: Its name.
        feature: What needs it, for the error.
        modules: What of it is needed; all by default.

    Raises:
        MissingExtraError: If it is not; says how to install it.
    """
    if any(find_spec(module) is None for module in modules or EXTRAS[extra]):
        raise MissingExtraError(feature, extra)
