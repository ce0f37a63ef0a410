"""Pictures sent to the addresses that their requests name: what arrives, and what ends it."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
from obstore.store import S3Store
from PIL import Image
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.uploads import Uploader
from core.settings import Settings
from tasks.images import ImageStore
from tasks.store import TaskStore
from tasks.uploads import UploadStore
from tests import stores
from tests.receiver import receiver
from tests.service import SMALL, serve
from tests.test_api import generate, submit, until_final

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changed = {"uploads": True, "private_networks": LOOPBACK, "relay_seconds": 0.05}
    return settings.model_copy(update=changed)


@pytest.fixture(scope="module")
def bucket(servers_directory: Path) -> AsyncIterator[S3Store]:
    """A client's own, at an S3 server."""
    with stores.versitygw(servers_directory / "theirs") as store:
        yield store


async def until_sent(client: httpx.AsyncClient, task_id: str) -> list[dict[str, Any]]:
    while True:
        task = (await client.get(f"/api/tasks/{task_id}")).json()
        uploads: list[dict[str, Any]] = task["uploads"]
        if all(it["delivered_at"] or not it["next_attempt_at"] for it in uploads):
            return uploads
        await asyncio.sleep(0.05)


def put(store: S3Store, key: str, seconds: float = 60) -> str:
    return obstore.sign(store, "PUT", key, timedelta(seconds=seconds))


async def test_each_picture_arrives_at_its_presigned_address(
    client: httpx.AsyncClient, bucket: S3Store
) -> None:
    addresses = [put(bucket, f"{n}.jpeg") for n in range(2)]
    answer = await generate(client, num_images=2, format="jpeg", upload=addresses)
    assert answer.status_code == 200
    task = answer.json()
    assert [it["outcome"] for it in await until_sent(client, task["id"])] == ["200", "200"]
    for n in range(2):
        ours = (await client.get(f"/api/tasks/{task['id']}/images/{n}")).content
        theirs = await obstore.get_async(bucket, f"{n}.jpeg")
        assert bytes(await theirs.bytes_async()) == ours
        assert theirs.attributes["Content-Type"] == "image/jpeg"
        assert Image.open(io.BytesIO(ours)).format == "JPEG"


async def test_a_signature_is_shown_to_nobody_and_forgotten_at_the_end(
    client: httpx.AsyncClient, bucket: S3Store, engine: AsyncEngine
) -> None:
    address = put(bucket, "secret.png")
    assert "X-Amz-Signature=" in address
    answer = await generate(client, upload=[address])
    task = answer.json()
    assert task["parameters"]["upload"] == [address.partition("?")[0]]
    await until_sent(client, task["id"])
    assert "X-Amz-Signature" not in (await client.get(f"/api/tasks/{task['id']}")).text
    async with engine.connect() as connection:
        for table in ("tasks", "uploads"):
            rows = await connection.execute(text(f"SELECT * FROM {table}"))
            assert "X-Amz-Signature" not in str(rows.all())


async def test_a_signature_that_has_expired_ends_it_at_once_and_not_the_task(
    client: httpx.AsyncClient, bucket: S3Store
) -> None:
    address = put(bucket, "late.png", seconds=1)
    task = await submit(client, prompt="slow 0.8", upload=[address])
    assert (await until_final(client, task["id"]))["status"] == "succeeded"
    (upload,) = await until_sent(client, task["id"])
    assert (upload["outcome"], upload["delivered_at"]) == ("403", None)
    assert (await client.get(f"/api/tasks/{task['id']}/images/0")).status_code == 200


async def finished(client: httpx.AsyncClient, url: str) -> str:
    answer = await generate(client, upload=[url])
    return str(answer.json()["id"])


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_what_fails_for_the_moment_is_sent_again_until_it_is_given_up(
    client_that_sends_nothing: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    client = client_that_sends_nothing
    async with receiver() as it:
        tasks = {status: await finished(client, f"{it.url}/{status}") for status in (503, 429, 404)}
        redirected = await finished(client, f"{it.url}/redirect")
        uploads, store = UploadStore(engine), TaskStore(engine, settings)
        uploader = Uploader(uploads, store, ImageStore(settings), settings, (0.01, 0.01))
        sending = asyncio.create_task(uploader.run())
        for status, task_id in tasks.items():
            (upload,) = await until_sent(client, task_id)
            assert (upload["outcome"], upload["delivered_at"]) == (str(status), None)
        (upload,) = await until_sent(client, redirected)
        assert upload["outcome"] == "307"
        assert it.asked == 3 + 3 + 1 + 1, "no redirect is followed"
        sending.cancel()
        await asyncio.wait([sending])


@pytest.fixture
async def client_that_sends_nothing(
    clean: None, settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    """Whose own sender looks for work once an hour: the test has one of its own."""
    async with serve(settings.model_copy(update={"relay_seconds": 3600.0})) as client:
        yield client


async def test_a_task_without_a_picture_sends_none_and_says_so(client: httpx.AsyncClient) -> None:
    async with receiver() as it:
        answer = await generate(client, prompt="fail", upload=[f"{it.url}/"])
        assert answer.status_code == 500
        (upload,) = await until_sent(client, answer.headers["X-Task-Id"])
        assert (upload["outcome"], it.asked) == ("the task has failed", 0)


async def test_nothing_is_sent_into_the_services_own_network(
    clean: None, settings: Settings
) -> None:
    """test_webhooks has each address that is refused; it is the same client."""
    if not settings.standalone:
        pytest.skip("standalone mode has its worker in the process")
    async with serve(settings.model_copy(update={"private_networks": ()})) as client:
        task_id = await finished(client, "https://169.254.169.254/latest/meta-data")
        (upload,) = await until_sent(client, task_id)
        assert upload["outcome"] == "169.254.169.254 may not be reached"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"upload": []}, "upload"),
        ({"upload": ["https://example.com/1"], "num_images": 2}, "body"),
        ({"upload": ["https://example.com/1", "https://example.com/2"]}, "body"),
        ({"upload": ["ftp://example.com/"]}, "upload.0"),
        ({"upload": "https://example.com/1"}, "upload"),
    ],
    ids=str,
)
async def test_what_is_no_address_for_each_picture_is_refused(
    client: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await client.post("/api/generate", json=SMALL | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_where_it_is_off_it_is_refused(clean: None, settings: Settings) -> None:
    async with serve(settings.model_copy(update={"uploads": False})) as client:
        answer = await generate(client, upload=["https://example.com/1"])
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "uploads_off"
