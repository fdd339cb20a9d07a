"""Lets torchvision be imported beside a torch of another build.

The wheels of torchvision on PyPI are made for CUDA. Beside the CPU build of torch,
their compiled operators cannot be loaded, and the import ends for want of the names of
two. Transforms and image processors, which are all that the tests use, need none.
"""

import sys

import torch

# Operators are forgotten with the object that has defined them.
OPERATORS = torch.library.Library("torchvision", "FRAGMENT")

try:
    import torchvision
except ImportError:  # not installed
    pass
except RuntimeError as error:
    if "operator torchvision::" not in str(error):
        raise
    for name in ("nms", "qnms"):
        OPERATORS.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    import torchvision  # noqa: F401
