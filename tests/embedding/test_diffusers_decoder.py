"""DiffusersDecoder: images of embeddings by pipelines that know nothing."""

import copy
import pickle
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

import tiny_pipelines  # noqa: E402
from tiny_pipelines import SIZE, WIDTH  # noqa: E402

from skdpgmm import DiffusersDecoder, TorchEmbeddingTransformer  # noqa: E402

EXAMPLE = Path(__file__).parents[2] / "examples" / "decode_with_diffusers.py"
OPTIONS = {
    "stable_unclip": {"num_inference_steps": 2},
    "unclip": {"decoder_num_inference_steps": 2, "super_res_num_inference_steps": 2},
    "kandinsky": {"num_inference_steps": 2, "height": SIZE, "width": SIZE},
}


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    """One pipeline of each kind, with random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tokenizer")
    made = {name: getattr(tiny_pipelines, name)(folder) for name in OPTIONS}
    for pipeline in made.values():
        pipeline.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module", name="Z")
def unit_rows():
    rows = np.random.default_rng(0).normal(size=(7, WIDTH)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(params=OPTIONS)
def make(request, pipelines):
    """Make decoders of one kind of pipeline."""

    def decoder(**params):
        settings = {"scale": 3.0, "call_kwargs": OPTIONS[request.param], **params}
        return DiffusersDecoder(pipelines[request.param], **settings)

    return decoder


class Recorder:
    """What a decoder needs of a pipeline: notes what it is called with."""

    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, images=lambda n: np.full((n, 4, 5, 3), 0.5)):
        self.images = images
        self.components = {"net": torch.nn.Dropout(), "scheduler": object()}
        self.calls = []

    def __call__(
        self,
        image_embeds,
        negative_image_embeds,
        prompt=None,
        negative_prompt=None,
        generator=None,
        output_type="pil",
        guidance_scale=4.0,
        **kwargs,
    ):
        self.calls.append(SimpleNamespace(**locals()))
        self.training = self.components["net"].training
        return SimpleNamespace(images=self.images(len(image_embeds)))


def test_images_of_all_rows(make, Z):
    images = make()(torch.from_numpy(Z))
    assert images.shape == (len(Z), 3, SIZE, SIZE)
    assert images.dtype == torch.float32
    assert 0 <= images.min() < images.max() <= 1


def test_inverse_transform(make, Z):
    decoder = make()
    embed = TorchEmbeddingTransformer(torch.nn.Identity(), decoder=decoder)
    images = embed.fit(Z).inverse_transform(Z)
    np.testing.assert_array_equal(images, decoder(torch.from_numpy(Z)))
    np.testing.assert_array_equal(clone(embed).fit(Z).inverse_transform(Z), images)


def test_image_depends_on_its_row_and_the_seed_only(make, Z):
    rows = torch.from_numpy(Z)
    images = make()(rows)
    order = [4, 0, 6, 3, 1, 2, 5]
    for batch_size in (1, 3, 8):
        again = make(batch_size=batch_size)(rows[order])
        torch.testing.assert_close(again, images[order], atol=1e-5, rtol=0)
    alone = make()(rows[2:3].double())
    torch.testing.assert_close(alone, images[2:3], atol=1e-5, rtol=0)
    twice = make()(rows[[1, 1]])
    torch.testing.assert_close(twice[0], twice[1], atol=1e-5, rtol=0)
    other = make(random_state=1)(rows)
    assert (other - images).abs().amax(dim=(1, 2, 3)).min() > 1e-2


def test_scale_changes_images_of_the_same_noise(make, Z):
    rows = torch.from_numpy(Z)
    change = make(scale=1.0)(rows) - make(scale=30.0)(rows)
    assert change.abs().amax(dim=(1, 2, 3)).min() > 1e-4


def test_copies_decode_alike(make, Z):
    decoder, rows = make(), torch.from_numpy(Z)
    images = decoder(rows)
    for other in (copy.deepcopy(decoder), pickle.loads(pickle.dumps(decoder))):
        torch.testing.assert_close(other(rows), images, atol=0, rtol=0)


def test_pipeline_is_left_as_it_was(make, Z):
    decoder = make()
    models = [
        component
        for component in decoder.pipeline.components.values()
        if isinstance(component, torch.nn.Module)
    ]
    before = [copy.deepcopy(model.state_dict()) for model in models]
    modes = [model.training for model in models]
    with torch.inference_mode():
        decoder(torch.from_numpy(Z[:2]))
    assert [model.training for model in models] == modes
    for model, weights in zip(models, before, strict=True):
        assert not any(tensor.is_inference() for tensor in model.parameters())
        torch.testing.assert_close(model.state_dict(), weights, atol=0, rtol=0)


def test_low_precision(pipelines, Z):
    pipeline = copy.deepcopy(pipelines["stable_unclip"]).to(torch.bfloat16)
    decoder = DiffusersDecoder(pipeline, call_kwargs=OPTIONS["stable_unclip"])
    images = decoder(torch.from_numpy(Z))
    assert images.dtype == torch.float32 and images.shape == (7, 3, SIZE, SIZE)


def test_scale_of_the_normalizer_is_the_norm_of_embeddings(pipelines):
    pipeline = copy.deepcopy(pipelines["stable_unclip"])
    torch.manual_seed(0)
    rows = torch.randn(500, WIDTH) * torch.rand(WIDTH) + torch.randn(WIDTH)
    pipeline.image_normalizer.mean.data = rows.mean(dim=0, keepdim=True)
    pipeline.image_normalizer.std.data = rows.std(dim=0, correction=0, keepdim=True)
    recorded = []
    unet = pipeline.unet.forward

    def forward(*args, **kwargs):
        recorded.append(kwargs["class_labels"])
        return unet(*args, **kwargs)

    pipeline.unet.forward = forward
    embedding = torch.nn.functional.normalize(rows[:1])
    DiffusersDecoder(pipeline, call_kwargs={"num_inference_steps": 1})(embedding)
    norm = rows.square().sum(dim=1).mean().sqrt()
    # The second row is not the one of guidance, and the first half is the embedding.
    given = recorded[0][1, :WIDTH]
    # Noise of level 0 is that of the first step of the schedule, which is little.
    torch.testing.assert_close(given, embedding[0] * norm, atol=0.05, rtol=0)


def test_what_a_pipeline_is_called_with(Z):
    pipeline, rows = Recorder(), torch.from_numpy(Z)
    decoder = DiffusersDecoder(pipeline, scale=2.0, batch_size=4)
    assert decoder(rows).shape == (7, 3, 4, 5)
    assert [len(call.image_embeds) for call in pipeline.calls] == [4, 3]
    first = pipeline.calls[0]
    torch.testing.assert_close(first.image_embeds, 2 * rows[:4])
    torch.testing.assert_close(first.negative_image_embeds, torch.zeros(4, WIDTH))
    assert first.prompt == [""] * 4 and first.negative_prompt is None
    assert len({generator.initial_seed() for generator in first.generator}) == 4
    assert first.output_type == "np" and not first.kwargs
    assert not pipeline.training and pipeline.components["net"].training

    DiffusersDecoder(pipeline, scale=2.0, call_kwargs={"prompt": None})(rows)
    assert pipeline.calls[-1].prompt == [""] * 7

    given = {
        "prompt": "a photo",
        "negative_prompt": "a drawing",
        "negative_image_embeds": Z[0],
        "guidance_scale": 1.0,
    }
    DiffusersDecoder(pipeline, scale=2.0, call_kwargs=given)(rows)
    last = pipeline.calls[-1]
    assert last.prompt == ["a photo"] * 7 and last.guidance_scale == 1.0
    assert last.negative_prompt == ["a drawing"] * 7
    torch.testing.assert_close(last.negative_image_embeds, rows[:1].repeat(7, 1))


def test_channels_first(Z):
    image = np.random.default_rng(0).uniform(size=(4, 5, 3))
    pipeline = Recorder(lambda n: np.stack([image] * n))
    images = DiffusersDecoder(pipeline, scale=1.0)(torch.from_numpy(Z))
    np.testing.assert_allclose(images[3, 2], image[:, :, 2], rtol=1e-6)


def unloaded(name):
    """A pipeline without components, of which the signature is looked at only."""
    return object.__new__(getattr(diffusers, name))


@pytest.mark.parametrize(
    "pipeline, params, error, message",
    [
        ("a-name", {}, TypeError, r"skdpgmm\[diffusers\].* got str"),
        (Recorder, {}, TypeError, "got the class Recorder"),
        (
            unloaded("StableDiffusionPipeline"),
            {},
            ValueError,
            "got StableDiffusionPipeline, which takes neither",
        ),
        (
            unloaded("KandinskyV22InpaintPipeline"),
            {},
            ValueError,
            "which also needs image, mask_image",
        ),
        (Recorder(), {}, ValueError, "scale='auto' needs .* Recorder has not"),
        (Recorder(), {"scale": "norm"}, TypeError, "scale must be .* got 'norm'"),
        (Recorder(), {"scale": True}, TypeError, "scale must be .* of type bool"),
        (Recorder(), {"scale": 0}, ValueError, "scale must be .* got 0"),
        (Recorder(), {"scale": np.inf}, ValueError, "scale must be .* got inf"),
        (Recorder(), {"call_kwargs": [("prompt", "")]}, TypeError, "dict .* got list"),
        (
            Recorder(),
            {"call_kwargs": {"steps": 2, "generator": None}},
            ValueError,
            r"'guidance_scale'\], got \['steps', 'generator'\]",
        ),
        (
            Recorder(),
            {"call_kwargs": {"prompt": ["a cat", "a dog"]}},
            TypeError,
            r"call_kwargs\['prompt'\] must be one string .* got list",
        ),
        (Recorder(), {"batch_size": 0}, ValueError, "batch_size must be .* got 0"),
        (Recorder(), {"batch_size": 2.0}, TypeError, "batch_size must be .* got 2.0"),
        (Recorder(), {"random_state": -1}, ValueError, "random_state .* got -1"),
        (Recorder(), {"random_state": None}, TypeError, "random_state .* got None"),
    ],
)
def test_bad_parameters(pipeline, params, error, message):
    if params and "scale" not in params:
        params = {"scale": 1.0, **params}
    with pytest.raises(error, match=message):
        DiffusersDecoder(pipeline, **params)


@pytest.mark.parametrize(
    "embeddings, error, message",
    [
        (np.eye(WIDTH), TypeError, "tensor of floating point numbers, got float64"),
        (torch.eye(WIDTH).long(), TypeError, "got torch.int64"),
        (torch.ones(WIDTH), ValueError, r"shape \(n, d\) .* got \(12,\)"),
        (torch.ones(0, WIDTH), ValueError, r"at least one row, got \(0, 12\)"),
        (torch.ones(2, 5), ValueError, "must have 12 columns.* got 5"),
        (torch.full((2, WIDTH), torch.nan), ValueError, "must be finite"),
    ],
)
def test_bad_embeddings(make, embeddings, error, message):
    with pytest.raises(error, match=message):
        make()(embeddings)


@pytest.mark.parametrize(
    "images, message",
    [
        (lambda n: np.ones((n + 1, 4, 4, 3)), "one image per embedding, here 7; got 8"),
        (lambda n: np.full((n, 4, 4, 3), np.nan), "finite numbers.* in float32"),
        (lambda n: np.full((n, 4, 4, 3), 255), "between 0 and 1.* from 255 to 255"),
        (lambda n: np.ones((n, 4, 4)), r"RGB images.* got images of shape \(7, 4, 4\)"),
        (lambda n: [Image.new("RGB", (4, 4))] * n, "RGB images.* got list"),
        (lambda n: None, "RGB images.* got SimpleNamespace"),
    ],
)
def test_bad_images(images, message, Z):
    decoder = DiffusersDecoder(Recorder(images), scale=1.0)
    with pytest.raises(ValueError, match=message):
        decoder(torch.from_numpy(Z))


def test_bad_negative(Z):
    negative = {"negative_image_embeds": torch.ones(2, WIDTH)}
    decoder = DiffusersDecoder(Recorder(), scale=1.0, call_kwargs=negative)
    with pytest.raises(ValueError, match=r"one vector .* 12; got shape \(2, 12\)"):
        decoder(torch.from_numpy(Z))


def test_example(pipelines, tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    for name, level in {"cats": 60, "dogs": 180}.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(40):
            pixels = rng.integers(level - 60, level + 60, size=(20, 24, 3))
            image = Image.fromarray(pixels.astype(np.uint8))
            image.save(tmp_path / "photos" / name / f"{i}.png")
    pipelines["stable_unclip"].save_pretrained(tmp_path / "pipeline")
    options = {"--epsilon": 8, "--steps": 2, "--n-images": 3, "--device": "cpu"}
    options |= {"--pipeline": tmp_path / "pipeline", "--output": tmp_path / "drawn"}
    words = [
        EXAMPLE,
        tmp_path / "photos",
        *(w for pair in options.items() for w in pair),
    ]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    runpy.run_path(str(EXAMPLE))
    for name in ("cats", "dogs"):
        with Image.open(tmp_path / "drawn" / f"decoded_{name}.png") as sheet:
            assert sheet.size == (2 * SIZE, 2 * SIZE)
    assert "(8, 1e-05)-DP" in capsys.readouterr().out


def test_example_names_the_missing_package(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "photos"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(EXAMPLE))
    assert "pip install 'skdpgmm[diffusers]'" in capsys.readouterr().err
