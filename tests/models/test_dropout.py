import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mien.models.dropout import Dropout


@given(st.floats(0.01, 0.95), st.integers(0, 99))
def test_the_rate_and_the_mean_are_those_of_dropout(rate, seed):
    torch.manual_seed(seed)
    x = torch.ones(8, 16, 13, 13)
    out = Dropout(rate).train()(x)
    count = x.numel()
    dropped = float((out == 0).float().mean())
    assert dropped == pytest.approx(rate, abs=5 * (rate * (1 - rate) / count) ** 0.5 + 2**-15)
    kept = out[out != 0]
    assert float(kept.min()) == float(kept.max()) == pytest.approx(1 / (1 - rate), rel=1e-2)


@pytest.mark.parametrize("kind", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_pass_where_values_do_in_any_memory_order(kind, dtype):
    x = torch.rand(3, 5, 7, 7, dtype=dtype).add(1).contiguous(memory_format=kind).requires_grad_()
    out = Dropout(0.5).train()(x)
    assert out.is_contiguous(memory_format=kind)
    assert out.dtype == dtype
    out.sum().backward()
    assert torch.equal(x.grad, torch.where(out == 0, 0.0, 2.0).to(dtype))
    strided = torch.rand(6, 10).T
    assert Dropout(0.5).train()(strided).shape == (10, 6)
    assert Dropout(0.5).train()(torch.rand(9, 8)[:, ::2]).shape == (9, 4)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    out = Dropout(0.5).train()(torch.ones(400_000)) == 0
    for distance in (1, 2, 3, 4, 8):
        both = (out[distance:] & out[:-distance]).float().mean()
        assert float(both) == pytest.approx(0.25, abs=0.005)
    by_place = out.view(-1, 4).float().mean(0)
    assert by_place.tolist() == pytest.approx([0.5] * 4, abs=0.01)


def test_the_same_seed_drops_the_same_and_evaluation_drops_nothing():
    x = torch.rand(4, 9)
    layer = Dropout(0.3).train()
    torch.manual_seed(1)
    one = layer(x)
    torch.manual_seed(1)
    assert torch.equal(one, layer(x))
    assert layer.eval()(x) is x
    assert Dropout(0.0).train()(x) is x
    assert float(Dropout(1.0).train()(x).sum()) == 0
    assert isinstance(layer, nn.Dropout)


def test_nearly_everything_may_be_dropped():
    out = Dropout(1 - 1e-9).train()(torch.ones(100))
    assert torch.isfinite(out).all()
