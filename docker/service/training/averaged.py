"""What learns: some modules, their optimizer, and the averages of their weights that are kept."""

import math

import torch
from torch import nn

_AVERAGED = 0.999
"""The weights that are kept are averages of about 1,000 steps."""
_WARM_UP = 100


class Averaged:
    def __init__(self, parts: dict[str, nn.Module], rate: float, device: str) -> None:
        self.parts = nn.ModuleDict(parts).to(device).train()
        self.rate = rate
        self.parameters = list(self.parts.parameters())
        self.averages = [it.detach().clone() for it in self.parameters]
        self.steps = 0
        self._optimizer = torch.optim.AdamW(
            self.parameters, lr=rate, weight_decay=1e-3, betas=(0.9, 0.98), fused=device == "cuda"
        )

    def update(self, done: float) -> None:
        """By the gradients that are there. @param done: share of the time"""
        rate = self.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1, done))) / 2)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * min(1, (self.steps + 1) / _WARM_UP)
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self._optimizer.step()
        self.steps += 1
        keep = min(_AVERAGED, (self.steps + 1) / (self.steps + 20))
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.parameters, 1 - keep)

    def weights(self) -> dict[str, torch.Tensor]:
        names = (name for name, _ in self.parts.named_parameters())
        return {
            name: average.half().cpu().contiguous()
            for name, average in zip(names, self.averages, strict=True)
        }
