"""The program on a full disk."""

import subprocess
import sys

CLI = "import sys; from mien.apps.cli.main import main; sys.exit(main())"


def limited(size, *command):
    """Run the program where no file may have more bytes than this, as on a full disk."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
    return subprocess.run(
        [sys.executable, "-c", limit + CLI, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
    )
