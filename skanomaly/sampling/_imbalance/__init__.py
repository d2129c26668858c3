"""How much resampling, and what to reuse."""
