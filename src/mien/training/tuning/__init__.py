"""Tuning: the keys of a recipe whose best values a study searches, selected on validation alone."""
