"""The programs on top: they read arguments, call the stages and show what came out."""
