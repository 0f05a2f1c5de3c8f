"""Checks of a dataset, one file each."""
