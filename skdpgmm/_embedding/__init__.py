"""Torch lives here only: images and texts to embeddings, and back."""
