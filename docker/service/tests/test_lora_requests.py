"""LoRAs as requests name them, by every route."""

import asyncio
from functools import partial
from typing import Any

import httpx
import openai
import pytest

from core.settings import LoraSource, Settings
from tests.service import SMALL
from tests.test_openai_edits import PICTURE


def source(name: str) -> LoraSource:
    return LoraSource(
        name=name, repository="owner/name", revision="", file="it.safetensors", sha256=""
    )


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"loras": (source("pixel-art"), source("ink.v2"))})


TWO = [{"name": "ink.v2", "weight": 0.5}, {"name": "pixel-art", "weight": -1.25}]


async def asked(client: httpx.AsyncClient) -> Any:
    """What the last task was asked for."""
    return (await client.get("/api/tasks")).json()["tasks"][0]["parameters"]["loras"]


async def test_the_models_list_them(client: httpx.AsyncClient) -> None:
    (model,) = (await client.get("/v1/models")).json()["data"]
    assert model["loras"] == ["pixel-art", "ink.v2"]
    assert (await client.get(f"/v1/models/{model['id']}")).json() == model


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (TWO, TWO),
        ([{"name": "pixel-art"}], [{"name": "pixel-art", "weight": 1.0}]),
        ([], []),
        (None, None),
    ],
)
async def test_a_task_keeps_what_it_was_asked_for(
    client: httpx.AsyncClient, given: Any, taken: Any
) -> None:
    response = await client.post("/api/generate", json=SMALL | {"loras": given})
    assert response.status_code == 200
    assert response.json()["parameters"]["loras"] == await asked(client) == taken


async def test_one_that_is_not_there_is_refused_with_those_that_are(
    client: httpx.AsyncClient,
) -> None:
    unknown = {"loras": [{"name": "pixel-art"}, {"name": "oil"}]}
    response = await client.post("/api/generate", json=SMALL | unknown)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error == {
        "field": "loras",
        "code": "unknown_lora",
        "message": "There is no LoRA 'oil': there are pixel-art, ink.v2",
    }


@pytest.mark.parametrize(
    ("loras", "field"),
    [
        ([{"name": "ink.v2"}, {"name": "ink.v2", "weight": 2}], "loras"),
        ([{"name": "ink.v2", "weight": 5.5}], "loras.0.weight"),
        ([{"name": "ink.v2", "weight": "1"}], "loras.0.weight"),
        ([{"name": "../model"}], "loras.0.name"),
        ([{"name": "ink.v2", "file": "it"}], "loras.0.file"),
        ([{"weight": 1}], "loras.0.name"),
        (["ink.v2"], "loras.0"),
        ([{"name": f"lora-{n}"} for n in range(6)], "loras"),
        ("ink.v2", "loras"),
    ],
)
async def test_what_is_none_is_refused_by_its_field(
    client: httpx.AsyncClient, loras: Any, field: str
) -> None:
    response = await client.post("/api/generate", json=SMALL | {"loras": loras})
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("loras", [TWO, TWO[:1], [{"name": "pixel-art"}, {"name": "ink.v2"}]])
async def test_openais_client_names_them_to_both_routes(
    client: httpx.AsyncClient, openai_client: openai.AsyncOpenAI, loras: list[dict[str, Any]]
) -> None:
    taken = [{"weight": 1.0} | lora for lora in loras]
    await openai_client.images.generate(
        prompt="a cat", size="256x256", quality="low", extra_body={"loras": loras}
    )
    assert await asked(client) == taken
    await openai_client.images.edit(
        image=PICTURE, prompt="a cat", quality="low", extra_body={"loras": loras}
    )
    assert await asked(client) == taken


async def test_a_form_has_them_as_json_too(client: httpx.AsyncClient) -> None:
    form = {"prompt": "a cat", "quality": "low", "loras": '[{"name": "ink.v2", "weight": 0.5}]'}
    response = await client.post("/v1/images/edits", data=form, files={"image": PICTURE})
    assert response.status_code == 200
    assert await asked(client) == TWO[:1]


@pytest.mark.parametrize(
    "form",
    [
        {"loras": "ink.v2"},
        {"loras": '["ink.v2"]'},
        {"loras": '[{"name": "oil"}]'},
        {"loras[][name]": ["ink.v2", "pixel-art"], "loras[][weight]": "1"},
        {"loras[][weight]": "1"},
    ],
    ids=str,
)
async def test_a_form_that_names_none_is_told_so(
    client: httpx.AsyncClient, form: dict[str, Any]
) -> None:
    response = await client.post(
        "/v1/images/edits", data={"prompt": "a cat"} | form, files={"image": PICTURE}
    )
    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith("loras")


async def test_one_that_no_worker_has_fails_its_task_and_no_worker(
    client: httpx.AsyncClient,
) -> None:
    """Not even several in a row, which of other failures make a worker suspect its model."""
    request = partial(client.post, "/api/generate", json=SMALL | {"prompt": "no lora"})
    for response in await asyncio.gather(*(request() for _ in range(3))):
        assert response.status_code == 500
        assert response.json()["type"] == "urn:problem:lora-missing"
    assert (await client.post("/api/generate", json=SMALL)).status_code == 200
