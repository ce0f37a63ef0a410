"""SDXL base 1.0 in full size with random weights: speed and memory as with the trained ones.

For measuring where the trained weights can't be had; its pictures show nothing.
"""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionXLPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from worker.tiny_sdxl import scheduler
from worker.tiny_sdxl.tokenizer import tokenizer


def save(path: Path, device: str) -> None:
    """In float16 and in the layout of the trained model's files."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = components(device)
    pipeline = StableDiffusionXLPipeline(
        **{name: module.to(torch.float16) for name, module in built.items()},
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        scheduler=scheduler(),
    )
    pipeline.save_pretrained(path, variant="fp16")


def components(device: str) -> dict[str, Any]:
    """The modules with weights; on the device `meta` they take no memory."""
    with torch.device(device):
        return {
            "unet": _unet(),
            "vae": _autoencoder(),
            "text_encoder": CLIPTextModel(_text_config(768, 12, 12, "quick_gelu")),
            "text_encoder_2": CLIPTextModelWithProjection(_text_config(1280, 32, 20, "gelu")),
        }


def _unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=2,
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20),
        use_linear_projection=True,
        cross_attention_dim=2048,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )


def _autoencoder() -> AutoencoderKL:
    channels = (128, 256, 512, 512)
    return AutoencoderKL(
        sample_size=1024,
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        layers_per_block=2,
        scaling_factor=0.13025,
        force_upcast=True,
    )


def _text_config(width: int, layers: int, heads: int, activation: str) -> CLIPTextConfig:
    special = tokenizer()
    return CLIPTextConfig(
        vocab_size=49408,
        bos_token_id=special.bos_token_id,
        eos_token_id=special.eos_token_id,
        pad_token_id=special.pad_token_id,
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        hidden_act=activation,
    )
