"""`python -m mien` is the same as `mien`."""

from mien.apps.cli.main import main

main()
