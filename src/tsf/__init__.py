"""TimeSformer from a folder of Kinetics videos to a compiled model and its accuracy."""
