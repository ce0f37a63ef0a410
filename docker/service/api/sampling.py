"""How each model is sampled: one of few steps has defaults and bounds of its own."""

from api.models import models
from api.problems import invalid
from core.settings import Sampling, Settings
from tasks.parameters import Parameters


def sampling_of(settings: Settings, model: str | None) -> Sampling:
    """@param model: by its name; None or one that is not there: the default one"""
    known = model if model in models(settings) else settings.model_id
    return settings.sampling.get(known or "", Sampling())


def sampled(sampling: Sampling, parameters: Parameters) -> Parameters:
    """With the model's own steps and guidance where none are named. @throws Problem: they are more
    than it takes"""
    own = {"steps": sampling.steps, "guidance_scale": sampling.guidance_scale}
    found = parameters.model_copy(
        update={name: it for name, it in own.items() if name not in parameters.model_fields_set}
    )
    for name, most in (
        ("steps", sampling.max_steps),
        ("guidance_scale", sampling.max_guidance_scale),
    ):
        if getattr(found, name) > most:
            raise invalid(name, "less_than_equal", f"This model takes at most {most:g}")
    return found
