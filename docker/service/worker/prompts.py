"""What the model is told: prompts of any length, by configuration with weights.

CLIP reads 77 tokens and would be handed no more. A longer prompt is read in chunks, and their
embeddings stand one after the other; compel does this.
"""

import re
from dataclasses import dataclass
from typing import Any

import torch
from compel.embeddings_provider import EmbeddingsProviderMulti, ReturnedEmbeddingsType
from diffusers import StableDiffusionXLPipeline

from tasks.parameters import Parameters

_WEIGHT = re.compile(r"\(([^()]+):(\d+(?:\.\d+)?)\)")
"""(word:1.3), as AUTOMATIC1111 made it known."""


@dataclass(frozen=True)
class Prompts:
    arguments: dict[str, Any]
    """For the pipeline."""
    tokens: int
    """Of the prompt, as the model counts them."""
    in_one_chunk: bool
    negative: bool
    """False: the model is told zeros."""


class PromptReader:
    def __init__(self, pipeline: StableDiffusionXLPipeline, *, weights: bool) -> None:
        self._tokenizer = pipeline.tokenizer
        self._weights = weights
        self._empty_is_zero: bool = pipeline.config.force_zeros_for_empty_prompt
        self._encoder = EmbeddingsProviderMulti(
            tokenizers=[pipeline.tokenizer, pipeline.tokenizer_2],
            text_encoders=[pipeline.text_encoder, pipeline.text_encoder_2],
            dtype_for_device_getter=lambda _: pipeline.text_encoder.dtype,
            truncate=False,
            # As SDXL was trained: the layer before the last, and the second encoder's summary.
            returned_embeddings_type=ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED,
            requires_pooled_mask=[False, True],
        )

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def read(self, parameters: Parameters) -> Prompts:
        texts = (parameters.prompt, parameters.negative_prompt)
        tokens, negative_tokens = map(self._count, texts)
        longest = self._tokenizer.model_max_length - 2  # its start and its end
        if max(tokens, negative_tokens) <= longest and not any(map(self._weighted, texts)):
            plain = {
                "prompt": parameters.prompt,
                # None is what SDXL was trained to take for nothing; an empty prompt says something.
                "negative_prompt": parameters.negative_prompt or None,
            }
            negative = bool(parameters.negative_prompt) or not self._empty_is_zero
            return Prompts(plain, tokens, in_one_chunk=True, negative=negative)
        prompt, pooled = self._embed(parameters.prompt)
        if parameters.negative_prompt:
            negative, negative_pooled = self._embed(parameters.negative_prompt)
            prompt, negative = (
                self._as_long_as(negative, prompt),
                self._as_long_as(prompt, negative),
            )
        else:
            negative, negative_pooled = torch.zeros_like(prompt), torch.zeros_like(pooled)
        embeds = {
            "prompt_embeds": prompt,
            "pooled_prompt_embeds": pooled,
            "negative_prompt_embeds": negative,
            "negative_pooled_prompt_embeds": negative_pooled,
        }
        return Prompts(
            embeds, tokens, in_one_chunk=False, negative=bool(parameters.negative_prompt)
        )

    def _count(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _weighted(self, text: str) -> bool:
        return self._weights and _WEIGHT.search(text) is not None

    def _fragments(self, text: str) -> tuple[list[str], list[float]]:
        """The text in pieces, each with its weight."""
        if not self._weighted(text):
            return [text], [1.0]
        # Between two matches there is a text, and each match is a text and its weight.
        pieces = _WEIGHT.split(text)
        weighted = [*zip(pieces[::3], ["1"] * len(pieces[::3]), strict=True)]
        for place, pair in enumerate(zip(pieces[1::3], pieces[2::3], strict=True)):
            weighted.insert(2 * place + 1, pair)
        kept = [(piece, float(weight)) for piece, weight in weighted if piece.strip()]
        return [piece for piece, _ in kept], [weight for _, weight in kept]

    def _embed(self, text: str) -> tuple[torch.Tensor, torch.Tensor]:
        fragments, weights = self._fragments(text)
        device = self._encoder.text_encoder.device
        embeds = self._encoder.get_embeddings_for_weighted_prompt_fragments(
            [fragments], [weights], device=device
        )
        pooled = self._encoder.get_pooled_embeddings(["".join(fragments)], device=device)
        return embeds, pooled

    def _as_long_as(self, other: torch.Tensor, embeds: torch.Tensor) -> torch.Tensor:
        """Padded with what the encoders make of nothing: the UNet sees both in one batch."""
        missing = (other.shape[1] - embeds.shape[1]) // self._tokenizer.model_max_length
        if missing <= 0:
            return embeds
        nothing, _ = self._embed("")
        return torch.cat([embeds, *[nothing] * missing], dim=1)
