"""Frames of files: readers of containers, y4m, raw video, pictures; a reading that is shared."""
