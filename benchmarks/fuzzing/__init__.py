"""Cases of `benchmarks.fuzz`, and the checks of what comes of them."""
