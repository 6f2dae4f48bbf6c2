"""Array operations without metric knowledge: borders, filters, strips, resizing, numerics."""
