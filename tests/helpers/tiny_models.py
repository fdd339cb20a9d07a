"""Folders of models that are small enough for tests, randomly initialised."""

import json

import pytest
import tiny_clip

transformers = pytest.importorskip("transformers")

SIZE, WIDTH = 16, 8
WORDS = ["a", "cat", "dog", "sat", "on", "the", "mat", "ran", "query"]
# Random weights of the usual size give rows that are all alike.
SPREAD = {"initializer_range": 0.5}
SMALL = {
    "hidden_size": WIDTH,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    **SPREAD,
}
MODES = ("cls_token", "mean_tokens", "max_tokens", "weightedmean_tokens")


def text_model(folder, n_tokens=12, pooling=(), parts=(), max_length=None):
    """Save a BERT, with what sentence-transformers would save beside it."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), max_position_embeddings=n_tokens, **SMALL
    )
    transformers.BertModel(config).save_pretrained(folder)
    if pooling:
        (folder / "1_Pooling").mkdir()
        modes = {f"pooling_mode_{mode}": mode in pooling for mode in MODES}
        (folder / "1_Pooling/config.json").write_text(json.dumps(modes))
    if parts:
        modules = [{"type": f"sentence_transformers.models.{part}"} for part in parts]
        (folder / "modules.json").write_text(json.dumps(modules))
    if max_length:
        says = json.dumps({"max_seq_length": max_length})
        (folder / "sentence_bert_config.json").write_text(says)
    return folder


def image_model(folder):
    """Save a vision transformer."""
    config = transformers.ViTConfig(image_size=SIZE, patch_size=8, **SMALL)
    transformers.ViTModel(config).save_pretrained(folder)
    sizes = {"height": SIZE, "width": SIZE}
    transformers.ViTImageProcessor(size=sizes).save_pretrained(folder)
    return folder


def clip_model(folder):
    """Save a CLIP, of texts and images."""
    folder.mkdir(exist_ok=True)
    config = transformers.CLIPConfig(
        text_config={**tiny_clip.text_config(WIDTH), **SPREAD},
        vision_config={**tiny_clip.vision_config(WIDTH, SIZE), **SPREAD},
        projection_dim=WIDTH,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    tiny_clip.tokenizer(folder).save_pretrained(folder)
    sizes = {"size": {"shortest_edge": SIZE}, "crop_size": SIZE}
    transformers.CLIPImageProcessor(**sizes).save_pretrained(folder)
    return folder
