"""What runs a model in this process. May import data.model_input."""
