"""A complete SDXL pipeline in miniature: the real classes, random weights from a fixed seed.

It runs the production code path on a CPU in a second; its pictures depend on prompt and seed,
but show nothing.
"""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

_START, _END = "<|startoftext|>", "<|endoftext|>"
_WIDTH = 32


def save(path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipeline = StableDiffusionXLPipeline(
            vae=_autoencoder(),
            text_encoder=CLIPTextModel(_text_config()),
            text_encoder_2=CLIPTextModelWithProjection(_text_config()),
            tokenizer=tokenizer(),
            tokenizer_2=tokenizer(),
            unet=_unet(),
            scheduler=scheduler(),
        )
    pipeline.save_pretrained(path)


def _byte_alphabet() -> list[str]:
    """The printable stand-ins for the 256 bytes that byte-level tokenizers use."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]


def _vocabulary() -> dict[str, int]:
    alphabet = _byte_alphabet()
    words = [*alphabet, *(letter + "</w>" for letter in alphabet), _START, _END]
    return {word: index for index, word in enumerate(words)}


def scheduler() -> EulerDiscreteScheduler:
    """As SDXL base 1.0 has it."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        timestep_spacing="leading",
    )


def tokenizer() -> CLIPTokenizer:
    """Knows single bytes, where the real one knows words."""
    return CLIPTokenizer(
        vocab=_vocabulary(),
        merges=[],
        bos_token=_START,
        eos_token=_END,
        unk_token=_END,
        pad_token=_END,
        model_max_length=77,
    )


def _text_config() -> CLIPTextConfig:
    vocabulary = _vocabulary()
    return CLIPTextConfig(
        vocab_size=len(vocabulary),
        bos_token_id=vocabulary[_START],
        eos_token_id=vocabulary[_END],
        pad_token_id=vocabulary[_END],
        hidden_size=_WIDTH,
        intermediate_size=2 * _WIDTH,
        projection_dim=_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        initializer_range=0.5,
    )


def _unet() -> UNet2DConditionModel:
    time_ids, time_width = 6, 8
    return UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        transformer_layers_per_block=1,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        cross_attention_dim=2 * _WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=time_width,
        projection_class_embeddings_input_dim=time_ids * time_width + _WIDTH,
        norm_num_groups=8,
    )


def _autoencoder() -> AutoencoderKL:
    channels = (16, 16, 32, 32)
    return AutoencoderKL(
        sample_size=256,
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        layers_per_block=1,
        norm_num_groups=8,
        scaling_factor=0.13025,
    )
