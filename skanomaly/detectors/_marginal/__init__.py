"""Each column alone: how rare its value is in the training data."""
