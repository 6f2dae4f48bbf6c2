"""Scoring of clips: the only place that knows chunks, devices and several models at once."""
