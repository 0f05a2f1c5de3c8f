"""What a user of the base install gets: size of wheel and environment, cost of start and reading.

Builds the wheel, installs it in a fresh environment without extras, checks that no training
framework came along, and measures. Exits with 1 if a training framework came along or a model is
too large; sizes and times of what others publish are shown beside what is promised.

    python benchmarks/wheel.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
INSTALL_MB = 450
WEIGHTS_MB = 12


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        python, added = install(folder, wheel)
        broken = report(folder, wheel, python, added)
    for promise in broken:
        Console(stderr=True).print(f"[red]Broken promise:[/red] {promise}")
    return 1 if broken else 0


def build(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def install(folder: Path, wheel: Path) -> tuple[Path, float]:
    """Install the wheel in a new environment; return its Python and the megabytes that came."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    empty = megabytes(environment)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True)
    return python, megabytes(environment) - empty


def report(folder: Path, wheel: Path, python: Path, added: float) -> list[str]:
    environment = megabytes(folder / "environment")
    weights = max(p.stat().st_size for p in (ROOT / "src/mien/weights").glob("*.onnx")) / 1e6
    importing = cpu_seconds([python, "-c", "import mien"], folder)
    portrait = f"{folder}/demo/grace_hopper.jpg"
    subprocess.run([python.parent / "mien", "demo", "--out", f"{folder}/demo"], check=True)
    reading = cpu_seconds([python.parent / "mien", "analyze", portrait], folder)
    show(
        [
            ("Wheel", f"{wheel.stat().st_size / 1e6:.1f} MB", ""),
            ("Weights of the largest model", f"{weights:.1f} MB", f"at most {WEIGHTS_MB} MB"),
            ("mien and all it needs, installed", f"{added:.0f} MB", f"at most {INSTALL_MB} MB"),
            ("The whole environment, with pip", f"{environment:.0f} MB", ""),
            ("CPU time of `import mien`", f"{importing:.2f} s", "below 0.3 s"),
            ("CPU time of `mien analyze`, cold", f"{reading:.2f} s", "below 2 s"),
        ]
    )
    frameworks = [n for n in ("torch", "tensorflow", "lightning") if has(python, n)]
    return [
        *(f"the base install brings {n}" for n in frameworks),
        *([f"a model has {weights:.1f} MB"] if weights > WEIGHTS_MB else []),
    ]


def megabytes(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


def cpu_seconds(command: list, folder: Path, runs: int = 5) -> float:
    """The median CPU time of a command, its caches warm."""
    times = []
    for _ in range(runs + 1):
        before = used()
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, env=os.environ)
        times.append(used() - before)
    return sorted(times[1:])[runs // 2]


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def has(python: Path, module: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def show(rows: list[tuple[str, str, str]]) -> None:
    table = Table("What", "Measured", "Promised", title="Base install")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
