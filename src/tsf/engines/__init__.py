"""The engines, which run a model in a job's own process. May import data, recipe."""
