"""One estimator a file: its parameters, its text, and a few lines of fit."""
