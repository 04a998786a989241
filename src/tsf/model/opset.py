"""The ONNX operator set that every exported model has."""

OPSET = 11  # every CANN release reads it
