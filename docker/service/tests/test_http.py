"""HTTP as its standards say (RFC 9110, 9111, 9457), asked of every route."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Route

from api.application import create_app
from core.settings import Settings
from tasks.history import History
from tasks.images import ImageStore
from tasks.parameters import ImageFormat, Parameters
from tasks.store import Claim, TaskStore
from tasks.task import StoredImage
from tests.service import SMALL, serve

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of everything that is served."""
    for route in create_app(Settings()).state.routes:
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}:
            yield method, route.path


ROUTES = sorted(set(routes()))
WITH_KEY = [(method, path) for method, path in ROUTES if path.startswith(("/api", "/v1"))]
assert {path for _, path in ROUTES} >= {"/", "/healthz", "/api/generate", "/v1/models"}
READS = [path for method, path in ROUTES if method == "GET"]


@pytest.fixture
async def task(client: httpx.AsyncClient) -> dict[str, Any]:
    made: dict[str, Any] = (await client.post("/api/generate", json=SMALL)).json()
    return made


def at(path: str, task: dict[str, Any], settings: Settings) -> str:
    """An address on the route at which there is something."""
    path = path.replace(":path", "")
    return path.format(task_id=task["id"], input_id=task["id"], n=0, model_id=settings.model_id)


OTHER_BODIES = {
    "/api/inputs": "image/png",
    "/v1/images/edits": "multipart/form-data; boundary=x",
}
"""The kinds of those that take no JSON."""


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic abc"])
@pytest.mark.parametrize(
    ("method", "path"),
    [*WITH_KEY, ("GET", "/api/nowhere"), ("GET", "/v1/nowhere"), ("PUT", "/api/tasks")],
)
async def test_without_a_key_nothing_else_is_looked_at(
    client: httpx.AsyncClient,
    task: dict[str, Any],
    settings: Settings,
    method: str,
    path: str,
    header: str | None,
) -> None:
    where = at(path, task, settings)
    headers = {"Content-Type": "text/plain"} | ({"Authorization": header} if header else {})
    async with httpx.AsyncClient(base_url=client.base_url) as nobody:
        for body, query in ((b"{", ""), (b"x" * 600_000, ""), (b"", "?nonsense=1")):
            answer = await nobody.request(method, where + query, content=body, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", READS)
async def test_head_is_get_without_its_content(
    client: httpx.AsyncClient, task: dict[str, Any], settings: Settings, path: str
) -> None:
    where = at(path, task, settings)
    head = await client.head(where)
    assert head.content == b""
    async with client.stream("GET", where) as get:
        there = 404 if path.endswith("/webhook") else 200  # the task has none
        assert (head.status_code, get.status_code) == (there, there)
        for name in ("content-type", "content-length", "etag", "cache-control"):
            assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES}))
async def test_options_and_405_name_the_methods(
    client: httpx.AsyncClient, task: dict[str, Any], settings: Settings, path: str
) -> None:
    where = at(path, task, settings)
    methods = {method for method, other in ROUTES if other == path}
    expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    async with httpx.AsyncClient(base_url=client.base_url) as nobody:
        options = await nobody.options(where)
    assert options.status_code == 204
    assert set(options.headers["allow"].split(", ")) == expected
    wrong = await client.request("PATCH", where)
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == options.headers["allow"]


async def test_options_of_nothing_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.options("/nowhere")).status_code == 404


@pytest.mark.parametrize(("method", "path"), WITH_KEY)
async def test_an_unknown_query_parameter_is_refused(
    client: httpx.AsyncClient, task: dict[str, Any], settings: Settings, method: str, path: str
) -> None:
    where = at(path, task, settings)
    body = json.dumps({"prompt": "a cat"}).encode() if method == "POST" else b""
    answer = await client.request(
        method,
        f"{where}?nonsense=1",
        content=body,
        headers={"Content-Type": OTHER_BODIES.get(path, "application/json")},
    )
    if path.startswith("/v1"):
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["param"], error["code"]) == ("nonsense", "unknown_parameter")
    else:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "nonsense"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_cache_keeps_what_it_was_not_told_to_keep(
    client: httpx.AsyncClient, task: dict[str, Any], settings: Settings, method: str, path: str
) -> None:
    for where in (at(path, task, settings), "/api/tasks/nothing", "/v1/nothing"):
        async with client.stream(method, where) as answer:
            said = answer.headers["cache-control"]
            if answer.status_code >= 400:
                assert said == "no-store"
            assert said in ("no-store", "no-cache", "private, no-cache")


@pytest.mark.parametrize("path", READS)
async def test_what_has_an_etag_is_not_sent_twice(
    client: httpx.AsyncClient, task: dict[str, Any], settings: Settings, path: str
) -> None:
    where = at(path, task, settings)
    async with client.stream("GET", where) as first:
        tag = first.headers.get("etag")
    if tag is None:
        assert not path.endswith(("{n}", ".js", ".css", ".svg")), "these are worth keeping"
        return
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get(where, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert "cache-control" in again.headers
    assert (await client.get(where, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_a_copy_lives_no_longer_than_its_link(
    client: httpx.AsyncClient,
) -> None:
    body = {"prompt": "a cat", "size": "256x256"}
    made = (await client.post("/v1/images/generations", json=body)).json()
    link = made["data"][0]["url"]
    left = int(parse_qs(urlsplit(link).query)["expires"][0]) - time.time()
    async with httpx.AsyncClient() as anyone:
        said = (await anyone.get(link)).headers["cache-control"]
    assert 0 < int(said.removeprefix("private, max-age=")) <= left


async def test_where_a_link_leads_lives_no_longer_than_the_link(
    settings: Settings, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    store = TaskStore(engine, settings)
    task = await store.submit(Parameters(prompt="a cat"), key_id=1, request_id="r")
    assert task is not None
    claimed = await store.claim("worker")
    assert claimed is not None
    image = StoredImage(object_key="outputs/1.png", seed=1, format=ImageFormat.PNG, sha256="0")
    assert await store.succeed(Claim(task.id, claimed.attempt), [image])
    on_s3 = settings.model_copy(update={"s3_bucket": "pictures"})

    async def size(_store: ImageStore, _image: StoredImage) -> int:
        return 1  # AWS would be asked

    monkeypatch.setattr(ImageStore, "size", size)
    async with serve(on_s3) as client:
        where = f"/api/tasks/{task.id}/images/0"
        with_key = await client.get(where)
        app_links = client.app.state.services.links  # type: ignore[attr-defined]
        async with httpx.AsyncClient(base_url=client.base_url) as anyone:
            by_link = await anyone.get(app_links.sign(where, int(time.time()) + 60))
    for answer, longest in ((with_key, 300), (by_link, 60)):
        assert answer.status_code == 302
        assert answer.headers["cache-control"] == "no-store"
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        assert 0 < int(query["X-Amz-Expires"][0]) <= longest


@pytest.mark.parametrize("path", ["/api/tasks/?limit=1", "/v1/models/", "/healthz/"])
async def test_a_redirect_keeps_the_scheme_a_client_used(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, follow_redirects=False)
    if answer.is_redirect:
        assert answer.headers["location"].startswith("/")
    else:
        assert answer.status_code == 404


async def test_errors_of_the_service_are_documents_with_the_requests_id(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(History, "page", bug)
    answer = await client.get("/api/tasks", headers={"X-Request-Id": "edge-42"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "edge-42"


async def test_an_event_source_needs_no_key_but_the_link(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    slow = SMALL | {"prompt": "slow 0.1", "steps": 5}
    task = (
        await client.post("/api/generate", json=slow, headers={"Prefer": "respond-async"})
    ).json()
    link = task["events_url"]
    async with httpx.AsyncClient(base_url=client.base_url) as browser:
        for other in (
            re.sub(r"signature=.", "signature=_", link),
            re.sub(r"expires=\d+", "expires=99999999999", link),
            link.replace("/events", "/images/0"),
            link.replace("/events", ""),
            link.split("?")[0],
        ):
            assert (await browser.get(other)).status_code == 401
        assert (await browser.delete(link.replace("/events", ""))).status_code == 401
        async with browser.stream("GET", link, headers={"Accept": "text/event-stream"}) as events:
            assert events.status_code == 200
            assert "event: done" in (await events.aread()).decode()
    assert (await client.get(f"/api/tasks/{task['id']}")).json()["events_url"] is None


@pytest.mark.parametrize("accept", ["image/gif", "text/html", "application/json;q=0"])
async def test_what_nobody_makes_is_not_acceptable(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.post("/api/generate", json=SMALL, headers={"Accept": accept})
    assert answer.status_code == 406


async def test_any_picture_is_the_one_of_the_body(client: httpx.AsyncClient) -> None:
    body = SMALL | {"format": "webp"}
    answer = await client.post("/api/generate", json=body, headers={"Accept": "image/*"})
    assert answer.headers["content-type"] == "image/webp"


async def test_a_page_of_another_origin_may_call_only_where_it_is_configured(
    clean: None, settings: Settings
) -> None:
    allowed = {"Origin": "https://app.example"}
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, x-stainless-lang",
    }
    async with serve(settings) as client:
        for answer in (
            await client.options("/api/generate", headers=allowed | wanted),
            await client.get("/api/tasks", headers=allowed),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]
    settings = settings.model_copy(update={"cors_origins": ("https://app.example",)})
    async with serve(settings) as client:
        preflight = await client.options("/v1/images/generations", headers=allowed | wanted)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://app.example"
        assert "x-stainless-lang" in preflight.headers["access-control-allow-headers"]
        for answer in (
            await client.get("/api/tasks", headers=allowed),
            await client.get("/api/tasks", headers=allowed | {"Authorization": "Bearer wrong"}),
            await client.get("/nowhere", headers=allowed),
        ):
            assert answer.headers["access-control-allow-origin"] == "https://app.example"
            assert answer.headers["vary"] == "Origin"
        other = await client.get("/api/tasks", headers={"Origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers
