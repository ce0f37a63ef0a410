"""OpenAI's own Python client, unchanged: all that its types can send, and what they promise."""

import asyncio
import base64
import io
from typing import Any, get_type_hints

import httpx
import openai
import pytest
from openai.types import ImageGenCompletedEvent, ImagesResponse
from openai.types.image_generate_params import ImageGenerateParamsStreaming
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from api.openai_images import ImagesRequest
from tests.service import SECRET, colour, colour_of

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]

SIZE: dict[str, Any] = {"size": "256x256"}


async def test_every_field_that_the_client_knows_has_an_answer(settings: Any) -> None:
    assert set(get_type_hints(ImageGenerateParamsStreaming)) <= set(ImagesRequest.model_fields)


@pytest.mark.parametrize(
    "field",
    [
        {"model": "gpt-image-2"},
        {"user": "u"},
        {"safety_identifier": "hash"},
        {"style": "vivid"},
        {"moderation": "low"},
        {"complexity": "high"},
        {"background": "opaque"},
        {"background": "auto"},
        {"partial_images": 0},
        {"partial_images": 3},
        {"n": None, "quality": None, "size": None, "model": None},
        {"output_format": "jpeg", "output_compression": 50},
        {"output_format": "png", "output_compression": 100},
        *({"quality": quality} for quality in ("auto", "standard", "hd", "low", "max")),
        {"extra_body": {"seed": None, "negative_prompt": None}},
    ],
    ids=str,
)
async def test_what_it_can_send_is_taken(
    openai_client: openai.AsyncOpenAI, field: dict[str, Any]
) -> None:
    answer = await openai_client.images.generate(**{"prompt": "a cat", **SIZE} | field)
    assert answer.data is not None
    assert len(answer.data) == 1


async def test_the_answer_says_how_the_pictures_were_made(
    openai_client: openai.AsyncOpenAI,
) -> None:
    raw = await openai_client.images.with_raw_response.generate(
        prompt="two small cats",
        n=10,
        size="512x256",
        quality="high",
        output_format="webp",
        model="gpt-image-2",
        safety_identifier="hash",
    )
    answer = ImagesResponse.model_validate(raw.http_response.json(), strict=True)
    assert answer.data is not None
    assert answer.usage is not None
    assert (answer.size, answer.quality, answer.output_format) == ("512x256", "high", "webp")
    assert (answer.background, answer.safety_identifier) == ("opaque", "hash")
    # The tokens of the no-op model are words; pictures are counted in 16 x 16 pixels.
    assert answer.usage.input_tokens_details.text_tokens == answer.usage.input_tokens == 10 * 3
    assert answer.usage.output_tokens == 10 * 32 * 16
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    pictures = [base64.b64decode(image.b64_json or "", validate=True) for image in answer.data]
    assert {Image.open(io.BytesIO(data)).size for data in pictures} == {(512, 256)}
    assert len(set(pictures)) == 10
    task_id = raw.headers["x-task-id"]
    assert raw.headers["location"] == f"/api/tasks/{task_id}"


@pytest.mark.parametrize(
    ("field", "base64_json"),
    [
        ({}, False),
        ({"model": "dall-e-3"}, False),
        ({"model": "gpt-image-2"}, True),
        ({"model": "chatgpt-image-latest"}, True),
        ({"response_format": "b64_json"}, True),
        ({"response_format": "url", "model": "gpt-image-2"}, False),
    ],
    ids=str,
)
async def test_base64_or_links_as_the_model_has_them(
    openai_client: openai.AsyncOpenAI, field: dict[str, Any], base64_json: bool
) -> None:
    answer = await openai_client.images.generate(prompt="a cat", **SIZE, **field)
    assert answer.data is not None
    (image,) = answer.data
    assert (image.b64_json is not None, image.url is None) == (base64_json, base64_json)


async def test_a_url_works_without_a_key_and_only_as_signed(
    openai_client: openai.AsyncOpenAI,
) -> None:
    answer = await openai_client.images.generate(prompt="a cat", **SIZE)
    assert answer.data is not None
    url = answer.data[0].url
    assert url is not None
    async with httpx.AsyncClient() as anyone:
        assert (await anyone.get(url)).headers["content-type"] == "image/png"
        assert (await anyone.get(url.replace("/images/0", "/images/1"))).status_code == 401
        assert (await anyone.get(url.split("?")[0])).status_code == 401
        later = url.replace("expires=", "expires=9")
        assert (await anyone.get(later)).status_code == 401


async def test_its_extra_body_has_what_sdxl_takes_besides(
    openai_client: openai.AsyncOpenAI, client: httpx.AsyncClient
) -> None:
    own = {"seed": 7, "negative_prompt": "fog", "steps": 20, "guidance_scale": 7.5}
    raw = await openai_client.images.with_raw_response.generate(
        prompt="a cat", **SIZE, response_format="b64_json", extra_body=own
    )
    answer = raw.parse()
    assert answer.data is not None
    assert colour_of(base64.b64decode(answer.data[0].b64_json or "")) == colour("a cat", 7)
    assert answer.quality == "low"
    task = (await client.get(raw.headers["location"])).json()
    assert task["parameters"].items() >= own.items()


async def test_compression_is_what_was_asked_for(openai_client: openai.AsyncOpenAI) -> None:
    steps = []
    for compression in (5, 50, None):
        answer = await openai_client.images.generate(
            prompt="a cat",
            **SIZE,
            output_format="jpeg",
            response_format="b64_json",
            output_compression=compression,
        )
        assert answer.data is not None
        data = base64.b64decode(answer.data[0].b64_json or "")
        picture = Image.open(io.BytesIO(data))
        assert isinstance(picture, JpegImageFile)
        # The coarser they are, the more is lost.
        steps.append(sum(picture.quantization[0]))
    assert steps[0] > steps[1] > steps[2]


async def test_a_stream_ends_with_each_picture(openai_client: openai.AsyncOpenAI) -> None:
    stream = await openai_client.images.generate(
        model="gpt-image-2", prompt="a cat", **SIZE, n=2, stream=True
    )
    events = [event async for event in stream]
    assert [event.type for event in events] == ["image_generation.completed"] * 2
    for event in events:
        assert isinstance(event, ImageGenCompletedEvent)
        ImageGenCompletedEvent.model_validate(event.model_dump(), strict=True)
        assert (event.size, event.quality) == ("256x256", "medium")
        assert len(colour_of(base64.b64decode(event.b64_json, validate=True))) == 3
    assert events[0].b64_json != events[1].b64_json


async def test_what_fails_in_a_stream_is_the_clients_error(
    openai_client: openai.AsyncOpenAI,
) -> None:
    stream = await openai_client.images.generate(prompt="out of memory", **SIZE, stream=True)
    with pytest.raises(openai.APIError, match="GPU's memory") as error:
        [event async for event in stream]
    assert (error.value.type, error.value.code) == ("server_error", "out_of_memory")


@pytest.mark.parametrize(
    ("field", "param", "code"),
    [
        ({"size": "100x100"}, "size", "invalid_value"),
        ({"size": "2048x2048"}, "size", "invalid_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"n": "two"}, "n", "invalid_type"),
        ({"prompt": ""}, "prompt", "empty_string"),
        ({"prompt": "  "}, "prompt", "invalid_value"),
        ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length"),
        ({"prompt": openai.omit}, "prompt", "missing_required_parameter"),
        ({"quality": "best"}, "quality", "invalid_value"),
        ({"background": "transparent"}, "background", "invalid_value"),
        ({"output_format": "gif"}, "output_format", "invalid_value"),
        ({"partial_images": 4}, "partial_images", "integer_above_max_value"),
        ({"partial_images": -1, "stream": True}, "partial_images", "integer_below_min_value"),
        ({"frame_count": 3}, "frame_count", "invalid_value"),
        ({"output_compression": 50}, "output_compression", "invalid_value"),
        ({"extra_body": {"sampler": "euler"}}, "sampler", "unknown_parameter"),
        ({"extra_query": {"sampler": "euler"}}, "sampler", "unknown_parameter"),
    ],
    # The same in each of the processes that run the tests; an object's text holds its address.
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
async def test_a_bad_field_is_400_and_named_as_openai_names_it(
    openai_client: openai.AsyncOpenAI, field: dict[str, Any], param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        await openai_client.images.generate(**{"prompt": "a cat", **SIZE} | field)
    told = error.value
    assert (told.type, told.param, told.code) == ("invalid_request_error", param, code)
    assert param in told.message
    assert told.request_id


@pytest.mark.parametrize(
    "body", [b"{", b'{"prompt": "\xff"}', b"{" * 3000, b'{"n": ' + b"9" * 5000]
)
async def test_malformed_json_is_one_error(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/images/generations", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": "The body is no well-formed JSON in UTF-8.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


async def test_errors_are_the_exceptions_of_openais_own(openai_client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as error:
        await openai_client.with_options(api_key="wrong").images.generate(prompt="a cat")
    assert (error.value.type, error.value.code) == ("invalid_request_error", "invalid_api_key")
    with pytest.raises(openai.InternalServerError) as error:
        await openai_client.images.generate(prompt="out of memory", **SIZE)
    assert error.value.response.headers["x-task-id"]
    with pytest.raises(openai.NotFoundError) as error:
        await openai_client.chat.completions.create(model="m", messages=[])
    assert error.value.code == "unknown_url"


async def test_there_is_one_model(openai_client: openai.AsyncOpenAI, settings: Any) -> None:
    models = [model async for model in openai_client.models.list()]
    assert [model.id for model in models] == [settings.model_id]
    assert await openai_client.models.retrieve(settings.model_id) == models[0]
    with pytest.raises(openai.NotFoundError) as error:
        await openai_client.models.retrieve("gpt-image-2")
    assert (error.value.code, error.value.param) == ("model_not_found", "model")


async def test_variations_are_refused_with_the_reason(
    openai_client: openai.AsyncOpenAI,
) -> None:
    picture = b"x" * 4_000_000
    for _ in range(3):
        with pytest.raises(openai.BadRequestError, match="without a prompt"):
            await openai_client.images.create_variation(image=picture)


async def test_what_is_final_draws_once_though_the_client_tries_again(
    openai_client: openai.AsyncOpenAI, client: httpx.AsyncClient
) -> None:
    insistent = openai_client.with_options(max_retries=2)
    waiting = asyncio.create_task(insistent.images.generate(prompt="slow 0.1", **SIZE))
    tasks: list[dict[str, Any]] = []
    while not tasks:
        await asyncio.sleep(0.05)
        tasks = (await client.get("/api/tasks")).json()["tasks"]
    await client.delete(f"/api/tasks/{tasks[0]['id']}")
    with pytest.raises(openai.ConflictError):
        await asyncio.wait_for(waiting, 10)
    with pytest.raises(openai.InternalServerError):
        await insistent.images.generate(prompt="out of memory", **SIZE)
    assert len((await client.get("/api/tasks")).json()["tasks"]) == 2


async def test_its_repetitions_under_an_idempotency_key_are_one_task(
    openai_client: openai.AsyncOpenAI, client: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await openai_client.images.generate(
            prompt="a cat", **SIZE, extra_headers={"Idempotency-Key": "order-1"}
        )
    assert len((await client.get("/api/tasks")).json()["tasks"]) == 1


async def test_the_client_without_async_does_the_same(client: httpx.AsyncClient) -> None:
    def generate() -> ImagesResponse:
        with openai.OpenAI(api_key=SECRET, base_url=f"{client.base_url}/v1") as blocking:
            return blocking.images.generate(prompt="a cat", **SIZE)

    assert (await asyncio.to_thread(generate)).data
