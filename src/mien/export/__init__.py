"""From a run to a file that anything can use: ONNX with a card inside."""
