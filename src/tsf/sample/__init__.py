"""Make what the user does not bring: videos, weights. May import data, model."""
