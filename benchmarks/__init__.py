"""Benchmarks: each a question, a method and a table.

``python -m benchmarks.NAME`` from the root of the repository runs one, and ``--help``
tells what it takes. `common` is what they share, `peers` what others do, `parts` and
`figures` belong to single commands, `fuzzing` to `fuzz`, `refereeing` to `referees`,
and `asv` is for airspeed velocity.
"""

import warnings

from skdpgmm.exceptions import NoiseDominatedWarning, SeededNoiseWarning

# Fits are repeated, and go to where noise is all there is: a table says how that ends.
for _category in (NoiseDominatedWarning, SeededNoiseWarning):
    warnings.filterwarnings("ignore", category=_category)
