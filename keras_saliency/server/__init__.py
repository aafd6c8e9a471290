"""Answers requests for maps as TensorFlow Serving does, over REST and gRPC."""
