"""The page of what came out, made from results alone; one section a file."""
