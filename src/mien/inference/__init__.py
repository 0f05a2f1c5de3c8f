"""From a picture to the expression on every face in it; needs no training framework."""
