"""Where rows may be, for tests of rows on a device: CUDA, too, where there is one."""

import numpy as np
import torch
from sklearn.externals.array_api_compat import numpy as numpy_of_the_api
from sklearn.externals.array_api_compat import torch as xp

from skdpgmm._rows.device import Device

DEVICES = {
    "numpy": Device(numpy_of_the_api, np.asarray, np.asarray),
    "torch": Device(xp, lambda array: array.numpy(), torch.from_numpy),
}
if torch.cuda.is_available():
    DEVICES["cuda"] = Device(
        xp,
        lambda array: array.cpu().numpy(),
        lambda array: torch.from_numpy(array).cuda(),
    )
