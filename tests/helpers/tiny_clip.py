"""Settings of a CLIP that is small enough for tests, and its tokenizer."""

import json
import string

import pytest
import torchvision_beside_cpu  # noqa: F401  (before transformers, which imports it)

transformers = pytest.importorskip("transformers")

# With 12, the 4 tokens that unCLIP adds would make as many as its smallest feature map
# has pixels, and diffusers could not tell the one from the other.
N_TOKENS = 10
LETTERS = string.ascii_lowercase
TOKENS = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
TOKENS += ["<|startoftext|>", "<|endoftext|>"]


def text_config(width):
    return {
        "hidden_size": width,
        "projection_dim": width,
        "intermediate_size": 8,
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
        "vocab_size": len(TOKENS),
        "max_position_embeddings": N_TOKENS,
        "bos_token_id": TOKENS.index("<|startoftext|>"),
        "eos_token_id": TOKENS.index("<|endoftext|>"),
        "pad_token_id": TOKENS.index("<|endoftext|>"),
    }


def vision_config(width, size):
    return {
        "hidden_size": 8,
        "projection_dim": width,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": size,
        "patch_size": 8,
    }


def tokenizer(folder):
    """A byte-pair encoding without pairs: one token for each letter."""
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({token: i for i, token in enumerate(TOKENS)}))
    merges.write_text("#version: 0.2\n")
    return transformers.CLIPTokenizer(
        str(vocabulary), str(merges), model_max_length=N_TOKENS
    )
