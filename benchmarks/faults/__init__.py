"""Faults that are planted in copies of the package, and what looks for them."""
