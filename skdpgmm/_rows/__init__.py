"""Where records are, and one pass over them."""
