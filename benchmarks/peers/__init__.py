"""Methods of others, and what runs them."""
