"""A fit of tensors on a GPU: its time, and the share of what the device can do.

One command, a minute, on a machine with a CUDA device; it says so when there is none::

    python -m benchmarks.device

The synthesizer with its label model on rows that are on the device, and the same fit on
the processor beside it. The arithmetic of a fit is counted, products of matrices only,
and set against the product of two float64 matrices on this device; and the bytes of the
rows that its passes read, against the bandwidth of a copy. Results are written as JSON
beside this file, or to ``--output``.
"""

import os

# Before scipy is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np
import torch
from sklearn import config_context

from benchmarks.common.command import Results, parser_of
from benchmarks.common.timing import seconds
from skdpgmm import DPEmbeddingSynthesizer


def on_device(function, repeats=3):
    """Median time after one run, the work of the device included."""
    times = [seconds(function, torch.cuda.synchronize) for _ in range(repeats + 1)]
    return float(np.median(times[1:]))


def peaks():
    """Return the rate of float64 products, and of bytes moved by a copy."""
    A = torch.randn(8192, 8192, dtype=torch.float64, device="cuda")
    flops = 2 * 8192**3 / on_device(lambda: A @ A)
    B = torch.empty_like(A)
    bandwidth = 2 * A.nbytes / on_device(lambda: B.copy_(A))
    return flops, bandwidth


def work(synthesizer, n, d, k):
    """Return the operations of the matrix products of a fit, and the bytes it reads."""
    m = len(synthesizer.label_model_.features.phases)
    steps = synthesizer.n_iter_ + 1
    flops = 2 * n * d * d  # second moment
    flops += 2 * 2 * n * d * m  # features, of the steps and of the last look
    flops += steps * 2 * 2 * n * (d + m) * k
    # Norms twice, centre, unit norms and second moment look at the rows as they are.
    read = 4 * n * (5 * d + steps * (d + m))
    return flops, read


def main():
    parser = parser_of("device", __doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=768)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--skip-processor", action="store_true")
    args = parser.parse_args()
    if not torch.cuda.is_available():
        print("Nothing measured: there is no CUDA device.")
        return
    n, d, k = args.rows, args.features, args.classes
    generator = torch.Generator("cuda").manual_seed(0)
    y = torch.randint(k, (n,), generator=generator, device="cuda")
    X = torch.randn(n, d, generator=generator, device="cuda")
    X += torch.randn(k, d, generator=generator, device="cuda")[y]
    X /= X.norm(dim=1, keepdim=True)
    synthesizer = DPEmbeddingSynthesizer()
    with config_context(array_api_dispatch=True):
        spent = on_device(lambda: synthesizer.fit(X, y))
    flops, read = work(synthesizer, n, d, k)
    most_flops, most_bandwidth = peaks()
    report = Results(args)
    report.results = results = {
        "device": torch.cuda.get_device_name(),
        "shape": [n, d, k],
        "seconds": spent,
        "share_of_float64_peak": flops / spent / most_flops,
        "share_of_bandwidth": read / spent / most_bandwidth,
    }
    print(f"{results['device']}: {n:,} x {d}, {k} classes, {spent:.2f} s")
    print(f"share of the float64 matrix peak: {results['share_of_float64_peak']:.3f}")
    print(f"share of the memory bandwidth:    {results['share_of_bandwidth']:.3f}")
    if not args.skip_processor:
        rows, labels = X.cpu().numpy(), y.cpu().numpy()
        results["processor_seconds"] = seconds(
            lambda: DPEmbeddingSynthesizer().fit(rows, labels)
        )
        print(
            f"the processor: {results['processor_seconds'] / spent:.1f} times as long"
        )
    report.save()


if __name__ == "__main__":
    main()
