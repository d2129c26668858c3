"""Coverage and change of collected lists, and the effect of one event on a series."""
