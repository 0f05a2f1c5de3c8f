"""From a recipe and a dataset to a run: batches, augmentation, the Lightning module, callbacks."""
