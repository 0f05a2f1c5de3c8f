"""Following faces from frame to frame: which of them are the same person."""
