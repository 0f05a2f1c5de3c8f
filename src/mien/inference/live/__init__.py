"""Reading a camera, a stream or a video as it runs, without ever falling behind."""
