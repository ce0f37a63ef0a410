"""Without a negative prompt half of the cross-attention is left out, and no picture changes.

SDXL takes zeros for the embeddings of an empty negative prompt (diffusers'
force_zeros_for_empty_prompt), and what makes keys and values of them has no bias. So that half of
each batch finds nothing but zeros, and all that the layer gives it is its output's bias.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.models.attention_processor import Attention, FusedAttnProcessor2_0
from torch.nn.functional import scaled_dot_product_attention


class EmptyNegative:
    def __init__(self, unet: Any) -> None:
        """@param unet: with fused projections"""
        attentions = [
            module
            for module in unet.modules()
            if isinstance(module, Attention) and module.is_cross_attention
        ]
        # The UNet of an LCM is told the guidance itself, and its batches have no halves.
        self._has_halves = unet.config.time_cond_proj_dim is None
        self._keeps_zeros = unet.encoder_hid_proj is None and all(
            it.to_kv.bias is None for it in attentions
        )
        self.left_out = False
        for it in attentions:
            it.set_processor(_Processor(self))

    @contextmanager
    def drawn(self, *, guided: bool, negative: bool) -> Iterator[None]:
        """For a picture.

        @param guided: there is a negative half in its batch
        @param negative: and something else than zeros in it
        """
        self.left_out = guided and not negative and self._has_halves and self._keeps_zeros
        try:
            yield
        finally:
            self.left_out = False


class _Processor(FusedAttnProcessor2_0):  # type: ignore[misc]
    def __init__(self, empty_negative: EmptyNegative) -> None:
        super().__init__()
        self._empty_negative = empty_negative

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        **options: Any,
    ) -> torch.Tensor:
        if not self._empty_negative.left_out:
            whole: torch.Tensor = super().__call__(
                attn, hidden_states, encoder_hidden_states, **options
            )
            return whole
        asked = attn.to_q(hidden_states.chunk(2)[1])
        key, value = attn.to_kv(encoder_hidden_states).chunk(2)[1].chunk(2, dim=-1)
        query, key, value = (
            each.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for each in (asked, key, value)
        )
        found = scaled_dot_product_attention(query, key, value)
        output = attn.to_out[0]
        told = output(found.transpose(1, 2).flatten(2))
        return torch.cat([output.bias.expand_as(told), told])
