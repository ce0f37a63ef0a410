"""The ways to denoise that a request may name, as diffusers has them.

https://huggingface.co/docs/diffusers/api/schedulers/overview has them by the names that other
programs gave them.
"""

from typing import Any

from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
)

from tasks.parameters import Scheduler
from worker.latents import Predictions

_KINDS: dict[Scheduler, tuple[Any, dict[str, Any]]] = {
    Scheduler.EULER: (EulerDiscreteScheduler, {}),
    Scheduler.EULER_A: (EulerAncestralDiscreteScheduler, {}),
    Scheduler.DPMPP_2M: (DPMSolverMultistepScheduler, {}),
    Scheduler.DPMPP_2M_KARRAS: (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    Scheduler.UNIPC: (UniPCMultistepScheduler, {}),
    # Unless a model's configuration says otherwise, as SDXL's own does, it takes latents for pixels
    # of -1 to 1: https://huggingface.co/docs/diffusers/api/schedulers/ddim, clip_sample.
    Scheduler.DDIM: (DDIMScheduler, {"clip_sample": False, "set_alpha_to_one": False}),
    Scheduler.LCM: (LCMScheduler, {}),
}


class Schedulers:
    """Each is made when it is first asked for; a picture leaves nothing in it for the next."""

    def __init__(self, own: Any) -> None:
        """@param own: the model's, which draws where no other is named"""
        self._own = own, Predictions(own)
        self._made: dict[Scheduler, tuple[Any, Predictions]] = {}

    def choose(self, name: Scheduler | None) -> tuple[Any, Predictions]:
        """The scheduler, and what it takes for the finished latents."""
        if name is None:
            return self._own
        if name not in self._made:
            kind, options = _KINDS[name]
            made = kind.from_config(self._own[0].config, **options)
            self._made[name] = made, Predictions(made)
        return self._made[name]

    def as_compiled(self, name: Scheduler | None) -> bool:
        """Whether the UNet is told the time in the type that it was compiled for: some count in
        whole numbers, others in fractions."""
        return bool(self._type_of_times(name) == self._type_of_times(None))

    def _type_of_times(self, name: Scheduler | None) -> Any:
        scheduler, _ = self.choose(name)
        scheduler.set_timesteps(1)
        return scheduler.timesteps.dtype
