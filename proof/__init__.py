"""The lemma of noisy bounded sums, for the proof assistant Coq: see README.md."""
