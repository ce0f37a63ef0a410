"""Bad requests: 4xx with the field named, and a service that is healthy after."""

import json
import random
import string
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service import SMALL

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/api/generate"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", 100),
        ("width", 257),
        ("width", 4096),
        ("height", "512"),
        ("height", True),
        ("height", 512.5),
        ("height", None),
        ("steps", 0),
        ("steps", 101),
        ("steps", 10**30),
        ("guidance_scale", -1),
        ("guidance_scale", "high"),
        ("seed", -1),
        ("seed", 2**32),
        ("num_images", 0),
        ("num_images", 11),
        ("prompt", ""),
        ("prompt", "x" * 32_001),
        ("prompt", " \n\t"),
        ("prompt", "a\x00b"),
        ("prompt", "a\x1bb"),
        ("prompt", 5),
        ("prompt", ["a"]),
        ("negative_prompt", "a\x07b"),
        ("format", "gif"),
        ("sampler", "euler"),
    ],
)
async def test_a_bad_field_is_named(
    client: httpx.AsyncClient, path: str, field: str, value: Any
) -> None:
    response = await client.post(path, json=SMALL | {field: value})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in response.json()["errors"]]


async def test_a_scheduler_that_is_not_there_is_answered_with_those_that_are(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post("/api/generate", json=SMALL | {"scheduler": "heun"})
    assert response.status_code == 422
    for name in ("euler", "euler_a", "dpmpp_2m", "dpmpp_2m_karras", "unipc", "ddim", "lcm"):
        assert f"'{name}'" in response.json()["errors"][0]["message"]
        taken = await client.post("/api/generate", json=SMALL | {"scheduler": name})
        assert taken.json()["parameters"]["scheduler"] == name
    lcm = {"scheduler": "lcm", "steps": 51}
    assert (await client.post("/api/generate", json=SMALL | lcm)).status_code == 422


async def test_too_many_pixels(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/generate", json=SMALL | {"width": 2048, "height": 2048})
    assert response.status_code == 422
    assert "pixels" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"prompt": "a", "guidance_scale": NaN}', 422),
        (b'{"prompt": "a", "guidance_scale": 1e999}', 422),
        (b'{"prompt": "a", "steps": ' + b"9" * 5000 + b"}", 400),
        (b'{"prompt": "\xff\xfe"}', 400),
        (b'{"prompt": "\\ud800"}', 422),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
        (b'{"prompt": "' + b"x" * 600_000 + b'"}', 413),
    ],
)
async def test_a_bad_body_is_refused(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    response = await client.post("/api/generate", content=body, headers=JSON)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
async def test_only_json_is_taken(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(
        "/api/generate", content=json.dumps(SMALL), headers={"Content-Type": content_type}
    )
    assert response.status_code == 415


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/tasks/not-an-id", 422),
        ("/api/tasks?limit=0", 422),
        ("/api/tasks?limit=x", 422),
        ("/api/tasks?before=x", 422),
        ("/nowhere", 404),
    ],
)
async def test_bad_addresses(client: httpx.AsyncClient, path: str, status: int) -> None:
    response = await client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def malformed(count: int) -> Iterator[bytes]:
    """Bodies that are almost right."""
    chance = random.Random(35)
    good = json.dumps(SMALL).encode()
    odd: list[Any] = [None, True, -1, 1e400, "", [], {}, "\x00", 10**40, float("nan"), [[]], "9"]
    for _ in range(count):
        match chance.randrange(4):
            case 0:
                yield good[: chance.randrange(len(good))]
            case 1:
                # Bytes that are never valid inside this body.
                place = chance.randrange(len(good))
                yield good[:place] + bytes([chance.randrange(0x80, 0x100)]) + good[place + 1 :]
            case 2:
                name = chance.choice(["width", "height", "steps", "num_images", "format"])
                yield json.dumps(SMALL | {name: chance.choice(odd)}).encode()
            case _:
                name = "".join(chance.choices(string.ascii_lowercase, k=8))
                yield json.dumps(SMALL | {name: chance.choice(odd)}).encode()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_ten_thousand_malformed_requests(client: httpx.AsyncClient) -> None:
    for body in malformed(10_000):
        response = await client.post("/api/generate", content=body, headers=JSON)
        assert 400 <= response.status_code < 500, body
    assert (await client.post("/api/generate", json=SMALL)).status_code == 200
