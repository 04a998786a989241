"""From mmaction2 and a checkpoint to the models in every form. May import data."""
