"""Entries of records at the ends of what float64 holds."""

import numpy as np
from hypothesis import strategies as st

MAX = np.finfo(np.float64).max
EXTREMES = [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e-310,
    1e-160,
    1.0,
    -1.0,
    2.0**24,
    1e16,
    -1e154,
    1e155,
    1e300,
    -1e300,
    MAX,
    -MAX,
]
ENTRIES = st.one_of(
    st.sampled_from(EXTREMES),
    st.floats(-2.0, 2.0),
    st.floats(allow_nan=False, allow_infinity=False),
)
