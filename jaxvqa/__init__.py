"""Full-reference video quality metrics as JAX array programs."""
