"""A complete SDXL pipeline in miniature: the real classes, trained to draw coloured shapes.

It runs the production code path on a CPU in a second, and draws what is asked for as long as that
is "a small red circle on a blue ground". `training` has how it learned that.
"""

from pathlib import Path
from typing import Any

from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from worker.tiny_sdxl.autoencoder import autoencoder
from worker.tiny_sdxl.tokenizer import END, START, tokenizer, vocabulary

WEIGHTS = Path(__file__).with_name("weights.safetensors")
"""Of the parts that were trained, each name after its part's and a dot."""

_WIDTH = 32


def save(path: Path) -> None:
    """As diffusers keeps a pipeline, in a directory."""
    pipeline(load()).save_pretrained(path)


def load(file: Path = WEIGHTS) -> dict[str, Any]:
    """The parts that were trained, as they are then."""
    parts = trained_parts()
    weights = load_file(file)
    for name, part in parts.items():
        prefix = f"{name}."
        own = {
            key.removeprefix(prefix): value.float()
            for key, value in weights.items()
            if key.startswith(prefix)
        }
        # What is not among the weights is no parameter, such as the tokens' positions.
        missing, unexpected = part.load_state_dict(own, strict=False)
        assert not unexpected
        assert not {*missing} & {name for name, _ in part.named_parameters()}
    return parts


def trained_parts() -> dict[str, Any]:
    """As they are before they have learned anything."""
    return {
        "decoder": autoencoder().decoder,
        "unet": _unet(),
        "text_encoder": CLIPTextModel(_text_config()),
        "text_encoder_2": CLIPTextModelWithProjection(_text_config()),
    }


def pipeline(parts: dict[str, Any]) -> StableDiffusionXLPipeline:
    vae = autoencoder()
    vae.decoder = parts["decoder"]
    return StableDiffusionXLPipeline(
        vae=vae,
        unet=parts["unet"],
        text_encoder=parts["text_encoder"],
        text_encoder_2=parts["text_encoder_2"],
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        scheduler=scheduler(prediction_type="v_prediction"),
        add_watermarker=False,
    )


def scheduler(**options: Any) -> EulerDiscreteScheduler:
    """As SDXL base 1.0 has it."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        timestep_spacing="leading",
        **options,
    )


def _text_config() -> CLIPTextConfig:
    ids = vocabulary()
    return CLIPTextConfig(
        vocab_size=len(ids),
        bos_token_id=ids[START],
        eos_token_id=ids[END],
        pad_token_id=ids[END],
        hidden_size=_WIDTH,
        intermediate_size=2 * _WIDTH,
        projection_dim=_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
    )


def _unet() -> UNet2DConditionModel:
    time_ids, time_width = 6, 8
    return UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(32, 64, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        transformer_layers_per_block=1,
        attention_head_dim=(2, 4, 4),
        use_linear_projection=True,
        cross_attention_dim=2 * _WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=time_width,
        projection_class_embeddings_input_dim=time_ids * time_width + _WIDTH,
        norm_num_groups=8,
    )
