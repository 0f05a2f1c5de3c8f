"""Running the papers' experiments again, and a page of what came out."""
