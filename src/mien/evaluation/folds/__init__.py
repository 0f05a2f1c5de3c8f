"""A recipe over all folds of a dataset: cross-validation."""
