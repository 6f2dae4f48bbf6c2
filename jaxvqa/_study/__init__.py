"""Rated clips and what metrics say of them: reading of studies, for evaluation and training."""
