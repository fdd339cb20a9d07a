"""What examples and benchmarks share: images, an encoder and a decoder."""
