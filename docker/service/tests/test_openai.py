"""OpenAI's own Python client, unchanged."""

import base64
from collections.abc import AsyncIterator

import httpx
import openai
import pytest

from tests.service import SECRET, colour, colour_of


@pytest.fixture
async def openai_client(client: httpx.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    url = str(client.base_url).rstrip("/") + "/v1"
    async with openai.AsyncOpenAI(api_key=SECRET, base_url=url, max_retries=0) as it:
        yield it


async def test_pictures_as_base64(openai_client: openai.AsyncOpenAI) -> None:
    answer = await openai_client.images.generate(
        model="gpt-image-1", prompt="a cat", n=2, size="256x256", response_format="b64_json"
    )
    assert answer.data is not None
    pictures = [base64.b64decode(image.b64_json or "") for image in answer.data]
    assert len(pictures) == 2
    assert colour_of(pictures[0]) != colour_of(pictures[1])


async def test_a_url_works_without_a_key_and_only_as_signed(
    openai_client: openai.AsyncOpenAI,
) -> None:
    answer = await openai_client.images.generate(prompt="a cat", size="256x256")
    assert answer.data is not None
    url = answer.data[0].url
    assert url is not None
    async with httpx.AsyncClient() as anyone:
        assert (await anyone.get(url)).headers["content-type"] == "image/png"
        assert (await anyone.get(url.replace("/images/0", "/images/1"))).status_code == 401
        assert (await anyone.get(url.split("?")[0])).status_code == 401
        later = url.replace("expires=", "expires=9")
        assert (await anyone.get(later)).status_code == 401


async def test_a_stream_ends_with_the_picture(openai_client: openai.AsyncOpenAI) -> None:
    stream = await openai_client.images.generate(
        model="gpt-image-1", prompt="a cat", size="256x256", stream=True
    )
    events = [event async for event in stream]
    assert [event.type for event in events] == ["image_generation.completed"]
    assert len(colour_of(base64.b64decode(events[0].b64_json))) == len(colour("", 0))


async def test_errors_are_the_clients_own(openai_client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as error:
        await openai_client.images.generate(prompt="a cat", size="100x100")
    assert error.value.type == "invalid_request_error"
    with pytest.raises(openai.UnprocessableEntityError) as error:
        await openai_client.images.generate(prompt="", size="256x256")
    assert error.value.param == "prompt"
    with pytest.raises(openai.AuthenticationError):
        await openai_client.with_options(api_key="wrong").images.generate(prompt="a cat")
    with pytest.raises(openai.InternalServerError):
        await openai_client.images.generate(prompt="out of memory", size="256x256")
