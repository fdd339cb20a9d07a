"""Small modules, items and tokenizers that the tests of the torch parts share."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.data import Dataset  # noqa: E402

TEXTS = ["a cat sat", "dogs", "the cat and the dog", "sat on a mat", "mat"]


class ConvNet(nn.Module):
    """Convolution, batch normalization with statistics of its own, head."""

    def __init__(self, channels=3):
        super().__init__()
        self.conv = nn.Conv2d(channels, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.act = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6, 4)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = self.act(self.norm(self.conv(x)))
        return self.head(self.drop(x.mean((2, 3))))

    def encode(self, x):
        return self(x)


class Function(nn.Module):
    """A module made of a function, to misbehave in one line."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args, **kwargs):
        return self.function(*args, **kwargs)


class BagOfWords(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(32, 5)

    def forward(self, ids, offsets):
        return self.bag(ids, offsets)


class MaskedEncoder(nn.Module):
    """A transformer over padded tokens, with the output of Hugging Face models."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(32, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, input_ids, attention_mask):
        hidden = self.layer(
            self.embed(input_ids), src_key_padding_mask=attention_mask == 0
        )
        return SimpleNamespace(last_hidden_state=hidden, pooler_output=hidden[:, 0])


class Images(Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i], i % 2


def word_ids(text):
    return [sum(map(ord, word)) % 31 + 1 for word in text.split()]


def bag_tokenizer(texts):
    ids = [word_ids(text) for text in texts]
    offsets = np.cumsum([0] + [len(i) for i in ids[:-1]])
    return torch.tensor([i for row in ids for i in row]), torch.as_tensor(offsets)


def padding_tokenizer(texts):
    ids = [torch.tensor(word_ids(text)) for text in texts]
    padded = nn.utils.rnn.pad_sequence(ids, batch_first=True)
    return {"input_ids": padded, "attention_mask": (padded > 0).long()}


def pil_to_tensor(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255


def reference(module, x):
    with torch.no_grad():
        return module(torch.tensor(x)).numpy()
