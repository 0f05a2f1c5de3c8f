"""The exit codes of the program; 0 means all was done."""

INCOMPLETE = 1
BAD_INPUT = 2
INTERRUPTED = 130
