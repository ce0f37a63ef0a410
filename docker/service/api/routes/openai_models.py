"""/v1/models: what tasks may name. Whoever names another model gets the first."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.dependencies import Caller, Provided
from api.models import loras, models
from api.problems import Problem
from api.routes.openai import documented
from api.sampling import sampling_of
from core.settings import Settings

router = APIRouter(prefix="/v1/models", tags=["openai"])

_CREATED = 1690329600
"""26 July 2023, when SDXL 1.0 came out; the clients' types want a date."""


class Limits(BaseModel):
    steps: int
    guidance_scale: float


class Defaults(Limits):
    width: int
    height: int


class Model(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int = _CREATED
    owned_by: str
    loras: list[str]
    """What requests may name besides, by `loras`; OpenAI has none."""
    defaults: Defaults
    """Of requests that name none of it."""
    limits: Limits
    """The most that requests may name."""


class Models(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


def _model(name: str, settings: Settings) -> Model:
    it = sampling_of(settings, name)
    return Model(
        id=name,
        owned_by=name.split("/")[0],
        loras=loras(settings),
        defaults=Defaults(
            steps=it.steps, guidance_scale=it.guidance_scale, width=it.side, height=it.side
        ),
        limits=Limits(steps=it.max_steps, guidance_scale=it.max_guidance_scale),
    )


@router.get("", summary="List models (OpenAI-compatible)", responses=documented(400, 401, 503))
async def list_models(services: Provided, _caller: Caller) -> Models:
    settings = services.settings
    return Models(data=[_model(name, settings) for name in models(settings)])


@router.get(
    "/{model_id:path}",
    summary="Get a model (OpenAI-compatible)",
    responses=documented(400, 401, 404, 503),
)
async def get_model(model_id: str, services: Provided, _caller: Caller) -> Model:
    if model_id not in models(services.settings):
        raise Problem(
            404, "model-not-found", f"The model '{model_id}' does not exist.", param="model"
        )
    return _model(model_id, services.settings)
