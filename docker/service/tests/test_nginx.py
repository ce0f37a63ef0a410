"""Through the real nginx, with the configuration that production declares."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from core.settings import Settings
from tests import stores
from tests.service import SECRET, SMALL

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]

KEY = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
async def edge(client: httpx.AsyncClient, servers_directory: Path) -> AsyncIterator[str]:
    """The URL of an nginx before a service."""
    port = urlsplit(str(client.base_url)).port
    assert port is not None
    directory = servers_directory / "nginx"
    directory.mkdir()
    with stores.nginx(directory, port) as url:
        yield url
    shutil.rmtree(directory)


@pytest.fixture
def edge_of_nothing(servers_directory: Path, settings: Settings) -> AsyncIterator[str]:
    """The URL of an nginx whose api is away."""
    directory = servers_directory / "nginx-alone"
    directory.mkdir()
    with stores.nginx(directory, stores.free_port()) as url:
        yield url
    shutil.rmtree(directory)


async def say(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """What a server answers to these bytes: status, headers, content."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request)
    await writer.drain()
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    content = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return int(status.split()[1]), headers, content


def post(path: str, *headers: str, version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: edge", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


PATHS = ["/api/generate", "/v1/images/generations"]
ERRORS = {
    400: lambda path: post(path, "Content-Length: many"),
    413: lambda path: post(path, "Content-Length: 99999999"),
    414: lambda path: post(path + "?" + "x" * 40_000),
    431: lambda path: post(path, "X-Long: " + "x" * 40_000),
    501: lambda path: post(path, "Transfer-Encoding: bzip2"),
    505: lambda path: post(path, version="3.0"),
}


def check(path: str, expected: int, status: int, headers: dict[str, str], content: bytes) -> None:
    assert status == expected
    assert headers["cache-control"] == "no-store"
    told = json.loads(content)
    if path.startswith("/v1"):
        assert headers["content-type"] == "application/json"
        assert set(told["error"]) == {"message", "type", "param", "code"}
        kind = "server_error" if status >= 500 else "invalid_request_error"
        assert told["error"]["type"] == kind
    else:
        assert headers["content-type"] == "application/problem+json"
        assert told["status"] == status
        assert told["title"]
        assert told["type"].startswith("urn:problem:")
        assert told["request_id"] == headers["x-request-id"]
    assert len(headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("status", ERRORS)
async def test_nginxs_own_errors_are_documents_as_the_apis(
    edge: str, path: str, status: int
) -> None:
    check(path, status, *await say(edge, ERRORS[status](path)))


@pytest.mark.parametrize("path", [*PATHS, "/", "/api/tasks"])
async def test_an_api_that_is_away_is_a_document_with_a_time_to_come_back(
    edge_of_nothing: str, path: str
) -> None:
    status, headers, content = await say(edge_of_nothing, post(path))
    check(path, 502, status, headers, content)
    assert headers["retry-after"] == "5"


@pytest.mark.parametrize("path", ["/problem", "/problem/openai"])
async def test_the_pages_of_errors_are_none_to_ask_for(edge: str, path: str) -> None:
    async with httpx.AsyncClient(base_url=edge) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


async def test_a_client_that_stalls_is_let_go_without_a_word_of_html(edge: str) -> None:
    """nginx closes such a connection; it never sends the 408 that its log has."""
    address = urlsplit(edge)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(post("/api/generate", "Content-Length: 10"))
    said = b""
    with suppress(ConnectionResetError):
        said = await reader.read()
    assert said == b""
    writer.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [("edge-42", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("", False)],
)
async def test_a_well_formed_request_id_is_kept_to_the_end(
    edge: str, given: str, kept: bool
) -> None:
    async with httpx.AsyncClient(base_url=edge, headers=KEY) as client:
        for where, status in (("/healthz", 200), ("/" + "x" * 40_000, 414)):
            answer = await client.get(where, headers={"X-Request-ID": given})
            assert answer.status_code == status
            if status == 200:  # of an address that is too long, nginx reads no headers
                assert (answer.headers["x-request-id"] == given) == kept
            assert len(answer.headers.get_list("x-request-id")) == 1


async def test_the_service_answers_through_it(edge: str) -> None:
    async with httpx.AsyncClient(base_url=edge, headers=KEY, timeout=30) as client:
        task = (await client.post("/api/generate", json=SMALL)).json()
        assert (await client.get(task["images"][0]["url"])).status_code == 200
        assert (await client.head(task["images"][0]["url"])).status_code == 200
        assert (await client.options("/api/tasks")).status_code == 204
        redirected = await client.get("/api/tasks/")
        assert redirected.headers.get("location", "/").startswith("/")


async def test_the_longest_prompts_pass(edge: str) -> None:
    long = "\u706f" * 32_000
    body = json.dumps(SMALL | {"prompt": long, "negative_prompt": long})
    headers = KEY | {"Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=edge, headers=headers, timeout=30) as client:
        assert (await client.post("/api/generate", content=body)).status_code == 200


async def test_a_variation_is_refused_with_the_reason_whatever_its_size(edge: str) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"x" * 4_000_000
    async with openai.AsyncOpenAI(api_key=SECRET, base_url=f"{edge}/v1", max_retries=0) as client:
        for _ in range(5):
            with pytest.raises(openai.BadRequestError, match="without a prompt") as error:
                await client.images.create_variation(image=picture)
            assert error.value.code == "unsupported_endpoint"
            assert error.value.type == "invalid_request_error"
            nobody = client.with_options(api_key="wrong")
            with pytest.raises(openai.AuthenticationError):
                await nobody.images.edit(image=picture, prompt="a hat", model="gpt-image-2")


async def test_the_log_names_the_request_and_its_task_and_not_what_its_address_asks(
    edge: str, servers_directory: Path
) -> None:
    async with httpx.AsyncClient(base_url=edge, timeout=30) as client:
        headers = KEY | {"X-Request-ID": "the-clients-own"}
        answer = await client.post("/api/generate", json=SMALL, headers=headers)
        await client.get("/api/tasks?signature=canary", headers=KEY)
    log = servers_directory / "nginx" / "nginx.log"
    while log.read_text().count('"request_id"') < 2:  # it comes after the answer
        await asyncio.sleep(0.01)
    said = log.read_text()
    (line,) = [line for line in said.splitlines() if '"request_id":"the-clients-own"' in line]
    assert json.loads(line)["task_id"] == answer.headers["X-Task-Id"]
    for canary in ("canary", SECRET, SMALL["prompt"]):
        assert str(canary) not in said
