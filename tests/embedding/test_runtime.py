"""Tests of how a torch module is run, and of the state that it is left in."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch_modules import ConvNet, Function, reference  # noqa: E402

from skdpgmm._embedding.transformer import TorchEmbeddingTransformer  # noqa: E402


def test_layer(net, images):
    with torch.no_grad():
        x = net.conv(torch.tensor(images))
        before = net.norm(x)
        after = before.relu().mean((2, 3)).numpy()
        before = before.mean((2, 3)).numpy()
    # `act` works in place on the output of `norm`.
    for layer, expected in (("norm", before), ("act", after)):
        Z = TorchEmbeddingTransformer(
            net, layer=layer, pooling="mean", normalize=False
        ).transform(images)
        np.testing.assert_allclose(Z, expected, atol=1e-5)
    assert all(not part._forward_hooks for part in net.modules())


def test_bad_layer(net, images):
    with pytest.raises(ValueError, match=r"layer must be .*'conv'.*got 'cnv'"):
        TorchEmbeddingTransformer(net, layer="cnv").transform(images)
    net.unused = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="'unused' did not"):
        TorchEmbeddingTransformer(net, layer="unused").transform(images)
    assert not net.unused._forward_hooks


def test_batch_norm_in_training_mode_is_refused(images):
    net = ConvNet()
    with pytest.raises(ValueError, match=r"Call module.eval\(\) first"):
        TorchEmbeddingTransformer(net).transform(images)
    net.eval()
    net.norm.train()
    with pytest.raises(ValueError, match=r"Call module.eval\(\) first"):
        TorchEmbeddingTransformer(net.encode).transform(images)
    assert net.norm.training and not net.training


def test_batch_norm_without_running_statistics_is_refused(rng):
    module = nn.BatchNorm1d(3, track_running_stats=False).eval()
    with pytest.raises(ValueError, match="without running statistics"):
        TorchEmbeddingTransformer(module).transform(rng.normal(size=(5, 3)))


@pytest.mark.parametrize("fails", [False, True])
def test_training_flags_are_restored(fails, rng):
    def end(x):
        if fails:
            raise OSError("broken")
        return x

    module = nn.Sequential(
        nn.Linear(3, 3), nn.Sequential(nn.Dropout(), nn.ReLU()), Function(end)
    )
    module[1].eval()
    module[1][0].train()
    modes = [part.training for part in module.modules()]
    X = rng.normal(size=(5, 3))
    if fails:
        with pytest.raises(OSError, match="broken"):
            TorchEmbeddingTransformer(module).transform(X)
    else:
        transformer = TorchEmbeddingTransformer(module)
        np.testing.assert_array_equal(
            transformer.transform(X), transformer.transform(X)
        )
    assert [part.training for part in module.modules()] == modes


def test_inference_mode():
    seen = []
    module = Function(lambda x: (seen.append(torch.is_inference_mode_enabled()), x)[1])
    TorchEmbeddingTransformer(module, decoder=module).fit_transform(np.eye(3))
    assert seen and all(seen)
    assert not torch.is_inference_mode_enabled()


def test_weights_are_left_as_they_were(net, images):
    layouts = [(p.data_ptr(), p.stride(), p.clone()) for p in net.parameters()]
    seen = []
    net.conv.register_forward_pre_hook(
        lambda conv, args: seen.append((conv.weight.clone(), args[0].stride()))
    )
    TorchEmbeddingTransformer(net).transform(images)
    weight, strides = seen[0]
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(weight, net.conv.weight)
    assert strides[1] == 1
    for parameter, (pointer, stride, value) in zip(
        net.parameters(), layouts, strict=True
    ):
        assert (parameter.data_ptr(), parameter.stride()) == (pointer, stride)
        assert torch.equal(parameter, value)
    net(torch.tensor(images)).sum().backward()


def test_module_that_views_feature_maps(images):
    conv = nn.Conv2d(3, 2, 3)
    module = nn.Sequential(conv, Function(lambda x: x.view(len(x), -1)))
    Z = TorchEmbeddingTransformer(module, normalize=False).transform(images)
    np.testing.assert_allclose(Z, reference(module, images), atol=1e-5)
    broken = nn.Sequential(conv, Function(lambda x: x.mT.view(len(x), -1)))
    with pytest.raises(RuntimeError, match="view size"):
        TorchEmbeddingTransformer(broken).transform(images)


def test_methods_and_functions(net, images):
    expected = TorchEmbeddingTransformer(net).transform(images)
    net.drop.train()
    for encoder in (net.encode, net.forward):
        Z = TorchEmbeddingTransformer(encoder).transform(images)
        np.testing.assert_array_equal(Z, expected)
    Z = TorchEmbeddingTransformer(lambda x: x.flatten(1)).transform(images)
    assert Z.shape == (11, 192)
    with pytest.raises(ValueError, match="layer must be"):
        TorchEmbeddingTransformer(lambda x: x, layer="conv").transform(images)


@pytest.mark.parametrize("device", ["auto", "cpu", torch.device("cpu")])
def test_device(device, net, images):
    Z = TorchEmbeddingTransformer(net, device=device, normalize=False).transform(images)
    np.testing.assert_allclose(Z, reference(net, images), atol=1e-5)


def test_other_device_works_on_a_copy(net, images):
    # The "meta" device has no values to give back, but every machine has it.
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        TorchEmbeddingTransformer(net, device="meta").transform(images)
    assert net.conv.weight.device.type == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda(net, images):
    expected = TorchEmbeddingTransformer(net).transform(images)
    Z = TorchEmbeddingTransformer(net, device="cuda").transform(images)
    np.testing.assert_allclose(Z, expected, atol=1e-2)
    assert net.conv.weight.device.type == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_bad_device(device, net, images):
    with pytest.raises(ValueError, match=f"device must be .*{device}"):
        TorchEmbeddingTransformer(net, device=device).transform(images)
