"""A made-up stand-in for Kinetics: motion clips, their dataset, a small model for them."""
