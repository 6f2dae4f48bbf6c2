"""SpEED and SpEED-QA: entropy differences of blocks under a Gaussian scale mixture."""
