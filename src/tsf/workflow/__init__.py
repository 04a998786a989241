"""Check the configuration, derive what the rules need. May import data, engines, model, recipe."""
