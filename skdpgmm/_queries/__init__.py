"""Public maps of one record to weights and a vector; never trusted with a norm."""
