"""What containers and names tell of a video: sources, streams, orientation, crop, times."""
