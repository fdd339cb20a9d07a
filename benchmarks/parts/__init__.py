"""Parts of `benchmarks.scaling`."""
