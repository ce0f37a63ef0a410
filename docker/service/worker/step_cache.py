"""Every other step runs only the outermost blocks: quicker, and another picture.

What the inner blocks give changes little from one step to the next (DeepCache, arXiv 2312.00858).
"""

from collections.abc import Callable
from typing import Any

import torch

Residuals = tuple[torch.Tensor, ...]


class StepCache:
    """Takes the place of a UNet's `forward`."""

    def __init__(self, unet: Any) -> None:
        self._unet = unet
        self._step = 0
        self._inner: torch.Tensor | None = None
        self.whole: Callable[..., tuple[torch.Tensor, torch.Tensor]] = self._whole
        self.outermost: Callable[..., torch.Tensor] = self._outermost
        unet.forward = self._forward

    def restart(self) -> None:
        """Before each picture: its first step is whole."""
        self._step = 0

    def _forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        added_cond_kwargs: dict[str, torch.Tensor],
        **_unused: Any,
    ) -> tuple[torch.Tensor]:
        arguments = sample, timestep, encoder_hidden_states, added_cond_kwargs
        self._step += 1
        if self._step % 2 == 1:
            noise, inner = self.whole(*arguments)
            self._inner = inner
            return (noise,)
        return (self.outermost(*arguments, self._inner),)

    def _whole(
        self, sample: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor, added: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        unet = self._unet
        embedding = self._embed(sample, timestep, text, added)
        hidden, residuals = self._descend(sample, embedding, text, unet.down_blocks)
        hidden = unet.mid_block(hidden, embedding, encoder_hidden_states=text)
        for block in unet.up_blocks[:-1]:
            hidden, residuals = _ascend(block, hidden, residuals, embedding, text)
        return self._finish(hidden, residuals, embedding, text), hidden

    def _outermost(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        text: torch.Tensor,
        added: Any,
        inner: torch.Tensor,
    ) -> torch.Tensor:
        embedding = self._embed(sample, timestep, text, added)
        _, residuals = self._descend(sample, embedding, text, self._unet.down_blocks[:1])
        # The last is for the blocks within.
        return self._finish(inner, residuals[:-1], embedding, text)

    def _embed(
        self, sample: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor, added: Any
    ) -> torch.Tensor:
        unet = self._unet
        time = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep))
        embedding: torch.Tensor = time + unet.get_aug_embed(
            emb=time, encoder_hidden_states=text, added_cond_kwargs=added
        )
        return embedding

    def _descend(
        self, sample: torch.Tensor, embedding: torch.Tensor, text: torch.Tensor, blocks: Any
    ) -> tuple[torch.Tensor, Residuals]:
        hidden = self._unet.conv_in(sample)
        residuals: Residuals = (hidden,)
        for block in blocks:
            hidden, new = block(hidden_states=hidden, temb=embedding, **_attends(block, text))
            residuals += new
        return hidden, residuals

    def _finish(
        self, inner: torch.Tensor, residuals: Residuals, embedding: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor:
        unet = self._unet
        hidden, _ = _ascend(unet.up_blocks[-1], inner, residuals, embedding, text)
        noise: torch.Tensor = unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))
        return noise


def _ascend(
    block: Any,
    hidden: torch.Tensor,
    residuals: Residuals,
    embedding: torch.Tensor,
    text: torch.Tensor,
) -> tuple[torch.Tensor, Residuals]:
    left, taken = residuals[: -len(block.resnets)], residuals[-len(block.resnets) :]
    hidden = block(
        hidden_states=hidden,
        temb=embedding,
        res_hidden_states_tuple=taken,
        # Sides that are no multiple of the UNet's factor come back to what they were.
        upsample_size=left[-1].shape[2:] if left else None,
        **_attends(block, text),
    )
    return hidden, left


def _attends(block: Any, text: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"encoder_hidden_states": text} if getattr(block, "has_cross_attention", False) else {}
