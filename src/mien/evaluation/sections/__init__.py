"""The parts of an evaluation report: one section a file."""
