"""What is released, in which order."""
