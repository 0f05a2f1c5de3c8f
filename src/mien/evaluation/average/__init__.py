"""Averages of what several networks, or several views of a face, say."""
