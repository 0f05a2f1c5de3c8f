"""mien: facial expression recognition you can check.

The names below load on first use, so `import mien` stays light.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.errors import MienError
    from mien.inference.analyzer import Analyzer
    from mien.inference.face import Face, Reading
    from mien.inference.pictures import read_picture
    from mien.inference.render import annotate

__version__ = "0.1.0"

# ONNX Runtime reports to its makers from version 1.29 on, unless this stands before its import.
# Nothing of what mien does leaves the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_HOMES = {
    "Analyzer": "mien.inference.analyzer",
    "Face": "mien.inference.face",
    "MienError": "mien.errors",
    "Reading": "mien.inference.face",
    "annotate": "mien.inference.render",
    "read_picture": "mien.inference.pictures",
}

__all__ = ["Analyzer", "Face", "MienError", "Reading", "__version__", "annotate", "read_picture"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
