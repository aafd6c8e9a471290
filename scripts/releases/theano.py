"""What Theano 0.9 did, in PyTorch."""

import torch
import torch.nn.functional as F


def bilinear_upsampling(input, ratio, num_input_channels=None, batch_size=None):
    """The transposed convolution of Theano 0.9, on maps whose outermost pixels are repeated."""
    kernel = torch.cat([torch.arange(1.0, ratio + 1), torch.arange(ratio - 1.0, 0, -1)]) / ratio
    x, pad = F.pad(input.flatten(0, 1)[:, None], (1, 1, 1, 1), mode="replicate"), 2 * ratio - (ratio - 1) // 2 - 1
    x = F.conv_transpose2d(x, kernel[None, None, :, None], stride=(ratio, 1))
    x = F.conv_transpose2d(x, kernel[None, None, None, :], stride=(1, ratio))
    rows, columns = (side * ratio for side in input.shape[2:])
    return x[:, :, pad : pad + rows, pad : pad + columns].reshape(*input.shape[:2], rows, columns)


def dimshuffle(x, *axes):
    kept = x.permute([axis for axis in axes if axis != "x"])
    for i, axis in enumerate(axes):
        kept = kept.unsqueeze(i) if axis == "x" else kept
    return kept


def max_pool(x, size, stride, same):
    """Pooling as Keras 1.1.0 asked for it: of padding "same" on both sides, and cut to size."""
    if not same:
        return F.max_pool2d(x, size, stride)
    pad = size - 2 if size % 2 else size - 1
    rows, columns = (-(-side // stride) for side in x.shape[2:])
    return F.max_pool2d(F.pad(x, (pad,) * 4, value=-float("inf")), size, stride)[:, :, :rows, :columns]
