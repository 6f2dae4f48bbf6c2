"""Detail loss and additive impairment."""
