"""The models that tasks may name, and what they may add to them."""

from collections.abc import Iterable

from api.problems import Problem, invalid
from core.settings import Settings
from tasks.parameters import Lora


def models(settings: Settings) -> list[str]:
    """The default one first."""
    return [settings.model_id, *settings.other_models]


def model_of(settings: Settings, name: str | None) -> str | None:
    """As `Task.model`. @throws Problem when there is no such model"""
    if name in (None, settings.model_id):
        return None
    if name not in settings.other_models:
        raise Problem(422, "model-not-found", f"The model '{name}' does not exist: see /v1/models.")
    return name


def loras(settings: Settings) -> list[str]:
    """By their names. Every model takes them."""
    return [lora.name for lora in settings.loras]


def check_loras(settings: Settings, named: Iterable[Lora]) -> None:
    """@throws Problem: one of them is not there"""
    known = loras(settings)
    for lora in named:
        if lora.name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none"
            raise invalid("loras", "unknown_lora", f"There is no LoRA {lora.name!r}: {there}")
