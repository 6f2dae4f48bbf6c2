"""Which frames are compared: bars, offsets, times, pictures; what is told of it."""
