"""Images embedded in a second: the transformer, compiled, and ONNX Runtime.

One command, about two minutes on two cores::

    python -m benchmarks.embed

EfficientNet-lite0 on Fashion-MNIST at 64 pixels, beside a loop by hand. The ways are
run in turn, and ratios are of medians of this run. Results are written as JSON beside
this file, or to ``--output``.
"""

import shutil

import numpy as np
import torch

from benchmarks.common.command import Results, parser_of, reason_of
from benchmarks.common.timing import in_turn
from examples._shared.fashion_mnist import load_encoder, load_fashion_mnist
from skdpgmm import OnnxEncoder, TorchEmbeddingTransformer


def by_hand(module, images, batch_size):
    """The loop that a user would write."""
    rows = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size])
            out = module(batch)
            rows.append((out / out.norm(dim=1, keepdim=True)).numpy())
    return np.concatenate(rows)


def main():
    parser = parser_of("embed", __doc__, "--data")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    try:
        images = load_fashion_mnist(args.data)[0][: args.images].astype(np.float32)
        module = load_encoder(args.size).eval()
    except (OSError, ImportError) as error:
        print(f"Nothing measured: {reason_of(error)}")
        return
    ways = {"by hand": lambda: by_hand(module, images, args.batch_size)}
    encoders = {"TorchEmbeddingTransformer": module}
    try:
        encoders["with OnnxEncoder"] = OnnxEncoder.from_torch(module, images[:2])
    except ImportError as error:
        print(error)
    transformers = {
        name: TorchEmbeddingTransformer(encoder, batch_size=args.batch_size)
        for name, encoder in encoders.items()
    }
    if shutil.which("c++") or shutil.which("g++"):
        transformers["compiled"] = TorchEmbeddingTransformer(
            module, batch_size=args.batch_size, compile=True
        )
    else:
        print("compiled left out: needs a C++ compiler")
    for name, transformer in transformers.items():
        ways[name] = lambda transformer=transformer: transformer.transform(images)
    expected = by_hand(module, images, args.batch_size)
    for way in ways.values():
        assert np.allclose(way(), expected, atol=1e-4)
    times = in_turn(ways, args.repeats, warm_up=False)
    hand = np.median(times["by hand"])
    report = Results(args)
    results = report.results
    for name, spent in times.items():
        results[name] = {"images_per_second": args.images / np.median(spent)}
        results[name]["over_by_hand"] = hand / np.median(spent)
        print(
            f"{name:>28}: {results[name]['images_per_second']:7.0f} images/s, "
            f"{results[name]['over_by_hand']:.2f} times by hand"
        )
    report.save()


if __name__ == "__main__":
    main()
