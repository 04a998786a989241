"""How a video becomes the model's input and its logits a prediction. May import errors alone."""
