"""Feature families: pure array programs from frames to per-frame values."""
