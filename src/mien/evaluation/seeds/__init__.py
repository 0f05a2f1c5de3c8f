"""A recipe under several seeds: what it is worth, and how far that varies."""
