"""What scoring would see of a file, and the little that a plan needs to know."""
