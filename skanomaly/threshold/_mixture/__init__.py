"""The published contamination posterior: a mixture of Gaussians over the scores, and a link from components to rows."""
