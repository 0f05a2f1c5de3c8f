"""From raw photographs to a dataset of faces: one step per file."""
