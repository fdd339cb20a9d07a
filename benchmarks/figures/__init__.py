"""Figures of the commands, for which matplotlib is needed."""
