"""Motion of the reference."""
