"""How a video becomes the model's input and its logits a prediction. Imports no other room."""
