"""The engines: what runs the model on a batch of clips."""
