"""The web page: static files that talk to the API of the same server and to nobody else."""
