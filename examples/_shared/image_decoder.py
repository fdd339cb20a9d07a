"""A decoder from embeddings to small images, trained on public images in minutes.

Four steps, all on public images without their labels:

1. An autoencoder turns an image into 64 numbers and back.
2. Partial least squares finds the few linear features of an embedding that say most
   about these numbers. A Gaussian describes such features well, and the fewer there
   are, the less noise a private mixture of them needs.
3. A flow draws the 64 numbers given the features: what an embedding does not tell about
   an image varies from one to the next [1]_.
4. What an autoencoder leaves out, prints and folds, is taken from the public image
   with the nearest 64 numbers.

The decoder must be trained on public images only, as the encoder was: what it draws
shows them, in the last step almost as they are, and no ledger counts that.

References
----------
.. [1] Lipman, Chen, Ben-Hamu, Nickel and Le (2023). Flow Matching for Generative
       Modeling. ICLR. arXiv:2210.02747.
"""

import zlib

import numpy as np
import torch
from sklearn.cross_decomposition import PLSRegression
from torch import nn
from torch.nn.functional import silu

N_LATENT = 64
N_STEPS = 8  # of the flow, by the midpoint rule
BATCH = 256
PART = 1000  # images at a time where no gradient is kept


class Autoencoder(nn.Module):
    """Images (n, 1, 28, 28) in [0, 1] to codes (n, 64) and back."""

    def __init__(self, width=32):
        super().__init__()
        flat = 2 * width * 7 * 7
        self.encode = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1),
            nn.GELU(),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(flat, N_LATENT),
        )
        self.decode = nn.Sequential(
            nn.Linear(N_LATENT, flat),
            nn.GELU(),
            nn.Unflatten(1, (2 * width, 7, 7)),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
            nn.GELU(),
            nn.ConvTranspose2d(width, width // 2, 4, 2, 1),
            nn.GELU(),
            nn.Conv2d(width // 2, 1, 3, 1, 1),
            nn.Sigmoid(),
        )


class Flow(nn.Module):
    """Velocity of codes (n, 64) at times (n,), given features (n, n_features)."""

    def __init__(self, n_features, width=256, depth=3):
        super().__init__()
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, 6, 32)))
        self.given = nn.Sequential(
            nn.Linear(n_features + 64, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.enter = nn.Linear(N_LATENT, width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.scale_shift = nn.ModuleList(
            nn.Linear(width, 2 * width) for _ in range(depth)
        )
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(depth)
        )
        self.leave = nn.Linear(width, N_LATENT)

    def forward(self, codes, times, features):
        angles = times[:, None] * self.frequencies
        given = torch.cat([features, angles.sin(), angles.cos()], dim=1)
        given = silu(self.given(given))
        hidden = self.enter(codes)
        for scale_shift, layer in zip(self.scale_shift, self.layers, strict=True):
            scale, shift = scale_shift(given).chunk(2, dim=1)
            hidden = hidden + layer(self.norm(hidden) * (1 + scale) + shift)
        return self.leave(hidden)

    def draw(self, noise, features):
        """Carry noise along the flow to codes."""
        codes, step = noise, 1.0 / N_STEPS
        for i in range(N_STEPS):
            now = torch.full((len(codes),), i * step, device=codes.device)
            middle = codes + 0.5 * step * self(codes, now, features)
            codes = codes + step * self(middle, now + 0.5 * step, features)
        return codes


class ImageDecoder(nn.Module):
    """Embeddings (n, d) to images (n, 28, 28) in [0, 1]; made by `train_decoder`.

    The same embedding gives the same image, but for rounding, in whatever batch: the
    noise that the flow begins with is seeded by the embedding.
    """

    def __init__(self, autoencoder, flow, mean, projection, codes, images):
        super().__init__()
        self.autoencoder, self.flow = autoencoder, flow
        spread = projection.x_scores_.std(axis=0)
        for name, value in (
            ("mean", mean),
            ("rotations", projection.x_rotations_ / spread),
            ("code_mean", codes.mean(0)),
            ("code_sd", codes.std(0)),
            ("public_codes", codes),
            ("public_images", (images * 255).round()),
        ):
            value = torch.as_tensor(value)
            kind = torch.uint8 if name == "public_images" else torch.float32
            self.register_buffer(name, value.to(kind))

    def features(self, embeddings):
        return (embeddings - self.mean) @ self.rotations

    def forward(self, embeddings):
        features = self.features(embeddings)
        noise = _noise_of(embeddings).to(features.device)
        codes = self.flow.draw(noise, features) * self.code_sd + self.code_mean
        # The square of the distance, but for a constant.
        public = self.public_codes
        nearest = (public.square().sum(1) - 2 * codes @ public.T).argmin(1)
        texture = self.public_images[nearest].float() / 255
        texture = texture - self.autoencoder.decode(public[nearest])
        return (self.autoencoder.decode(codes) + texture).clamp(0, 1)[:, 0]


def _noise_of(embeddings):
    seeds = (zlib.crc32(row.tobytes()) for row in embeddings.cpu().numpy())
    draws = [
        torch.randn(N_LATENT, generator=torch.Generator().manual_seed(seed))
        for seed in seeds
    ]
    return torch.stack(draws)


# --- training -----------------------------------------------------------------------
def _batches(n):
    return torch.randperm(n)[: n // BATCH * BATCH].split(BATCH)


def _minimise(module, n, n_epochs, rate, loss_of):
    """Minimise a loss of batches by AdamW under one cycle of the rate."""
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=1e-3)
    n_steps = n_epochs * (n // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, n_steps)
    for _ in range(n_epochs):
        for rows in _batches(n):
            optimizer.zero_grad()
            loss_of(rows).backward()
            optimizer.step()
            schedule.step()


def _train_autoencoder(images, n_epochs):
    model = Autoencoder().to(memory_format=torch.channels_last)

    def loss_of(rows):
        x = images[rows]
        codes = model.encode(x)
        # Noise makes near codes mean near images.
        error = model.decode(codes + 0.1 * torch.randn_like(codes)) - x
        edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
        return (
            error.abs().mean()
            + 2 * error.square().mean()
            + 0.5 * edges
            + 1e-3 * codes.square().mean()
        )

    _minimise(model, len(images), n_epochs, 3e-3, loss_of)
    return model.eval()


def _train_flow(codes, features, n_epochs):
    model = Flow(features.shape[1])

    def loss_of(rows):
        end, start = codes[rows], torch.randn(len(rows), N_LATENT)
        times = torch.rand(len(rows))
        middle = torch.lerp(start, end, times[:, None])
        # Features of a mixture are not quite those of images.
        given = features[rows] + 0.2 * torch.randn_like(features[rows])
        return (model(middle, times, given) - (end - start)).square().mean()

    _minimise(model, len(codes), n_epochs, 2e-3, loss_of)
    return model.eval()


def train_decoder(embeddings, images, n_features=32, n_epochs=(8, 20), seed=0):
    """Train a decoder on public images and their embeddings.

    Parameters
    ----------
    embeddings : ndarray of shape (n, d)
        Of public images.
    images : ndarray of uint8 of shape (n, 28, 28)
        The same images.
    n_features : int, default=32
        Linear features of an embedding that an image is drawn from.
    n_epochs : pair of int, default=(8, 20)
        Of the autoencoder and of the flow.
    seed : int, default=0
        Seed of torch.

    Returns
    -------
    projection : PLSRegression
        From embeddings to the features and, by its ``inverse_transform``, back.
    decoder : ImageDecoder
        From embeddings to images.
    """
    torch.manual_seed(seed)
    x = torch.from_numpy(images.astype(np.float32) / 255)[:, None]
    autoencoder = _train_autoencoder(x, n_epochs[0])
    with torch.no_grad():
        codes = torch.cat([autoencoder.encode(part) for part in x.split(PART)])
    projection = PLSRegression(n_features, scale=False)
    projection.fit(embeddings, codes.numpy())
    features = projection.x_scores_ / projection.x_scores_.std(axis=0)
    flow = _train_flow(
        (codes - codes.mean(0)) / codes.std(0),
        torch.from_numpy(features.astype(np.float32)),
        n_epochs[1],
    )
    mean = embeddings.mean(axis=0)
    decoder = ImageDecoder(autoencoder, flow, mean, projection, codes, x)
    return projection, decoder.eval()
