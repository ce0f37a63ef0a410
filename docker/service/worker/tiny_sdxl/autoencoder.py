"""SDXL's autoencoder: a latent is the mean colour of 8 x 8 pixels, and the decoder has learned to
draw edges from that.

The encoder is built instead of trained. All of its layers are there and run. Those that would have
to learn pass on what they get: their weights are zero, and each has a way round it. Of all
isometries into the latents' four channels it is the one that is nearest to what `worker.latents`
takes them for, so that previews show about the colours.
"""

import torch
from diffusers import AutoencoderKL

from worker.latents import TO_RGB

_CHANNELS = 16
"""Red, its negative, green, its negative, blue, its negative, a constant and its negative; and more
that only the decoder needs."""
_CONSTANT = 100.0
"""So large that colours don't show in the variance that the last normalisation divides by."""
_CERTAIN = -30.0
"""Logarithm of the latents' variance."""


@torch.no_grad()  # type: ignore[untyped-decorator]
def autoencoder() -> AutoencoderKL:
    vae = AutoencoderKL(
        sample_size=256,
        block_out_channels=(_CHANNELS,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=1,
        scaling_factor=1.0,
    )
    encoder = vae.encoder
    for part in (encoder, vae.quant_conv, vae.post_quant_conv):
        for parameter in part.parameters():
            parameter.zero_()
    _spread(encoder.conv_in, torch.eye(3))
    _collect(encoder, isometry())
    encoder.conv_out.bias[4:] = _CERTAIN
    for block in encoder.down_blocks[:-1]:
        block.downsamplers[0].conv.weight[:, :, :2, :2] = torch.eye(_CHANNELS)[..., None, None] / 4
    for convolution in (vae.quant_conv, vae.post_quant_conv):
        convolution.weight[:, :, 0, 0] = torch.eye(convolution.out_channels)
    return vae


def isometry() -> torch.Tensor:
    """From latents to pixels of -1 to 1; its transpose leads back."""
    left, _, right = torch.linalg.svd(TO_RGB, full_matrices=False)
    return left @ right


def _spread(first: torch.nn.Conv2d, matrix: torch.Tensor) -> None:
    """Into the channels, from a row of the matrix each."""
    first.weight[0:6:2, :, 1, 1] = matrix.T
    first.weight[1:6:2, :, 1, 1] = -matrix.T
    first.bias[6], first.bias[7] = _CONSTANT, -_CONSTANT


def _collect(part: torch.nn.Module, matrix: torch.Tensor) -> None:
    """From the channels. Their mean is zero and their variance the constant's, which undoes the
    normalisation; silu(x) - silu(-x) is x, which undoes the activation."""
    part.conv_norm_out.weight.fill_(_CONSTANT * (2 / _CHANNELS) ** 0.5)
    part.conv_out.weight[:4, 0:6:2, 1, 1] = matrix
    part.conv_out.weight[:4, 1:6:2, 1, 1] = -matrix
