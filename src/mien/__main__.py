"""`python -m mien` is the same as `mien`."""

import sys


def run() -> None:
    """Run the program; an interrupt while it is still loading ends it quietly, too."""
    try:
        from mien.apps.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
