"""Make videos and weights for a run without the user's own. May import data, model, recipe."""
