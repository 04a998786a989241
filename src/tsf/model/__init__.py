"""From mmaction2 and a checkpoint to the models in every file format. May import data, recipe."""
