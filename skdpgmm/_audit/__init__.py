"""Measuring how private a fit is, with records that are public or made up."""
