"""Google's clustering, from a checkout: it is no package that can be installed."""

import functools
import logging
import sys
from pathlib import Path


@functools.cache
def google_clustering(checkout):
    """Return the module `clustering_algorithm` of google/differential-privacy."""
    sys.path.append(str(Path(checkout).expanduser().resolve() / "learning"))
    from clustering import clustering_algorithm

    logging.getLogger().setLevel(logging.WARNING)  # absl asks for more
    return clustering_algorithm
