"""From a video to readings of every frame, a timeline per person, and a marked copy."""
