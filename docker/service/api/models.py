"""The models that tasks may name."""

from api.problems import Problem
from core.settings import Settings


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
