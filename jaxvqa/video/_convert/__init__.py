"""FFmpeg's filters that make two videos alike: which, and in what order."""
