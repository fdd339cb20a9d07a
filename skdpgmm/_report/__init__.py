"""A page for whoever has to approve a fitted model: what was promised, and released."""
