"""python -m training OUT: trains the tiny model into OUT/weights.safetensors, and judges it.

Diffusion as SDXL has it, with the target of progressive distillation (arXiv 2202.00512), which a
small model learns sooner. Wants the worker's packages; a GPU takes minutes, one core hours.
"""

import argparse
import json
import logging
import time
from functools import cache
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler
from safetensors.torch import save_file
from torch import nn

from training.averaged import Averaged
from training.judge import judge
from training.replayed import Replayed
from training.shapes import Shapes
from worker import tiny_sdxl
from worker.tiny_sdxl.autoencoder import isometry

_UNCONDITIONAL = 0.1
"""Share of the pictures without a caption, for the guidance's sake."""
_OFFSET = 0.06
"""Deviation of the noise's mean. SDXL's noise never hides a picture's mean colour quite: a model
that found it there would take it from the random latents that a picture starts from."""

log = logging.getLogger("training")


@cache
def _from_rgb(device: torch.device) -> torch.Tensor:
    return isometry().to(device)


def to_latents(pictures: torch.Tensor) -> torch.Tensor:
    """What the encoder makes of pictures that are as small as latents."""
    return torch.einsum("nchw,kc->nkhw", pictures, _from_rgb(pictures.device)).contiguous()


class Training:
    def __init__(
        self, out: Path, seconds: float, seed: int, device: str, onto: Path | None
    ) -> None:
        torch.manual_seed(seed)
        self._start = time.monotonic()
        self._out, self._seconds, self._seed, self._device = out, seconds, seed, device
        self._shapes = Shapes(device, seed)
        self._gpu = device == "cuda"
        parts = tiny_sdxl.load(onto) if onto else tiny_sdxl.trained_parts()
        share = 1 / 3 if onto else 1
        self._decoder = Averaged({"decoder": parts.pop("decoder")}, 3e-3 * share, device)
        self._rest = Averaged(parts, 1.5e-3 * share, device)
        scheduler = tiny_sdxl.scheduler(prediction_type="v_prediction")
        self._alphas = DDPMScheduler.from_config(scheduler.config).alphas_cumprod.to(device)
        self._told = self._saved = time.monotonic()
        self._facts: dict[str, Any] = {"seed": seed}

    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    def run(self) -> None:
        self._learn_to_decode(until=0.2 * self._seconds)
        self._learn_to_draw()
        self._save()

    def _note(self, phase: str, averaged: Averaged, losses: list[torch.Tensor]) -> None:
        now = time.monotonic()
        if now - self._told > 5:
            loss = float(torch.stack(losses[-50:]).float().mean())
            seconds = self._elapsed()
            log.info("%s: %.0f s, %d steps, loss %.4f", phase, seconds, averaged.steps, loss)
            self._told = now
            losses.clear()
        if now - self._saved > 30:
            self._save()
            self._saved = now

    def _learn_to_decode(self, until: float) -> None:
        n, side = (64, 256) if self._gpu else (6, 128)
        averaged, begun = self._decoder, self._elapsed()

        def inputs() -> dict[str, torch.Tensor]:
            pictures = self._shapes.batch(n, side).pictures
            latents = to_latents(nn.functional.avg_pool2d(pictures, 8))
            # What the UNet draws is not quite what the encoder would see.
            level = 0.12 * torch.rand(n, 1, 1, 1, device=self._device)
            return {"latents": latents + level * torch.randn_like(latents), "pictures": pictures}

        def loss(given: dict[str, torch.Tensor]) -> torch.Tensor:
            with torch.autocast(self._device, torch.bfloat16, self._gpu, cache_enabled=False):
                drawn = averaged.parts["decoder"](given["latents"])
            return nn.functional.l1_loss(drawn.float(), given["pictures"])

        step = Replayed(loss, inputs(), averaged)
        losses: list[torch.Tensor] = []
        while (now := self._elapsed()) < until:
            losses.append(step(inputs()))
            averaged.update((now - begun) / (until - begun))
            self._sync(averaged)
            self._note("decoder", averaged, losses)
        self._facts |= {"decoder_steps": averaged.steps, "decoder_pictures": averaged.steps * n}

    def _learn_to_draw(self) -> None:
        averaged, begun = self._rest, self._elapsed()
        sizes = [(512, 32), (128, 64)] if self._gpu else [(32, 32), (8, 64)]
        steps = [Replayed(self._loss, self._inputs(*size), averaged) for size in sizes]
        drawn = [0, 0]
        losses: list[torch.Tensor] = []
        while (now := self._elapsed()) < self._seconds:
            # One batch in five is of pictures twice as wide.
            which = int(averaged.steps % 5 == 4)
            loss = steps[which](self._inputs(*sizes[which]))
            if which == 0:
                losses.append(loss)
            averaged.update((now - begun) / (self._seconds - begun))
            drawn[which] += sizes[which][0]
            self._sync(averaged)
            self._facts |= {"steps": averaged.steps, "pictures": sum(drawn)}
            self._note("unet", averaged, losses)

    def _sync(self, averaged: Averaged) -> None:
        """The host would run ahead of the clock."""
        if self._gpu and averaged.steps % 10 == 0:
            torch.cuda.synchronize()

    def _inputs(self, n: int, side: int) -> dict[str, torch.Tensor]:
        device = self._device
        batch = self._shapes.batch(n, side)
        latents = to_latents(batch.pictures)
        noise = torch.randn_like(latents)
        noise = noise + _OFFSET * torch.randn(n, 4, 1, 1, device=device)
        # Those with much noise decide what is drawn, and are rarer to get right.
        times = (torch.rand(n, device=device).sqrt() * len(self._alphas)).long()
        alpha = self._alphas[times][:, None, None, None]
        # Of any size, as often as of its own: what the pipeline tells is to make no difference.
        sides = torch.where(
            torch.rand(n, 1, device=device) < 0.5,
            8.0 * side,
            8.0 * torch.randint(32, 257, (n, 2), device=device),
        )
        return {
            "tokens": batch.tokens,
            "noisy": alpha.sqrt() * latents + (1 - alpha).sqrt() * noise,
            "target": alpha.sqrt() * noise - (1 - alpha).sqrt() * latents,
            "times": times,
            "kept": (torch.rand(n, device=device) > _UNCONDITIONAL).float(),
            "time_ids": torch.cat([sides, torch.zeros_like(sides), sides], dim=-1),
        }

    def _loss(self, given: dict[str, torch.Tensor]) -> torch.Tensor:
        parts, tokens, kept = self._rest.parts, given["tokens"], given["kept"]
        with torch.autocast(self._device, torch.bfloat16, self._gpu, cache_enabled=False):
            first = parts["text_encoder"](tokens, output_hidden_states=True)
            second = parts["text_encoder_2"](tokens, output_hidden_states=True)
            text = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
            predicted = parts["unet"](
                given["noisy"],
                given["times"],
                encoder_hidden_states=text * kept[:, None, None],
                added_cond_kwargs={
                    "text_embeds": second.text_embeds * kept[:, None],
                    "time_ids": given["time_ids"],
                },
            ).sample
        return nn.functional.mse_loss(predicted.float(), given["target"])

    def _save(self) -> None:
        weights = self._decoder.weights() | self._rest.weights()
        device = torch.cuda.get_device_name() if self._gpu else "one CPU core"
        facts = self._facts | {"seconds": round(self._elapsed()), "device": device}
        file = self._out / "weights.safetensors"
        save_file(weights, file.with_suffix(".new"), {key: str(it) for key, it in facts.items()})
        file.with_suffix(".new").rename(file)


def main() -> None:
    parser = argparse.ArgumentParser(prog="training")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=200, help="of training; judging is more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--onto", type=Path, help="weights to go on from")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    Training(options.out, options.seconds, options.seed, options.device, options.onto).run()
    (options.out / "judged.json").write_text(
        json.dumps(judge(options.out, options.device), indent=2)
    )


if __name__ == "__main__":
    main()
