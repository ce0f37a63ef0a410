"""Pictures to draw from that are fetched from their address, and where nothing is fetched from."""

from ipaddress import ip_network

import httpx
import pytest

from core.settings import Settings
from tests.hostile_pictures import photo, saved
from tests.receiver import receiver
from tests.service import serve, worker
from tests.test_api import generate
from tests.test_inputs import files, picture_of
from tests.test_webhooks import HOSTILE

PNG = saved(photo((256, 256)), "PNG")
MASK = saved(photo((256, 256)).convert("L"), "PNG")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    networks = (ip_network("127.0.0.0/8"),)
    more = {"fetches": True, "private_networks": networks, "max_input_bytes": 2**20}
    return settings.model_copy(update=more)


async def test_image_and_mask_are_fetched_and_kept_as_if_they_had_been_sent(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    async with receiver() as it:
        it.files = {"cat.png": PNG, "mask.png": MASK}
        urls = {"image": f"{it.url}/cat.png?key=of-its-owner", "mask": f"{it.url}/mask.png"}
        answer = await generate(client, **urls, width=256, height=256)
    assert answer.status_code == 200, answer.text
    assert "of-its-owner" not in answer.text
    assert len(files(settings)) == 2
    assert (await picture_of(client, answer)).size == (256, 256)
    # By the ids that it has now, with nobody at the address.
    parameters = answer.json()["parameters"]
    kept = {name: parameters[name] for name in ("image", "mask")}
    assert (await generate(client, **kept)).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("404", 422, "answers 404"),
        ("redirect", 422, "answers 307"),
        ("text", 422, "no PNG, JPEG or WebP"),
        ("empty", 422, "no PNG, JPEG or WebP"),
        ("large", 413, "at most"),
    ],
)
async def test_what_is_no_picture_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, settings: Settings, path: str, status: int, reason: str
) -> None:
    async with receiver() as it:
        it.files = {"text": b"a cat", "empty": b"", "large": bytes(2**20 + 1)}
        answer = await generate(client, image=f"{it.url}/{path}")
        assert it.asked == 1
    assert answer.status_code == status
    assert reason in answer.text
    assert files(settings) == []


async def test_nobody_at_the_address_is_said(client: httpx.AsyncClient) -> None:
    async with receiver() as it:
        pass
    answer = await generate(client, image=f"{it.url}/cat.png")
    assert answer.status_code == 422
    assert "does not answer" in answer.text


async def test_nothing_is_fetched_from_where_only_the_service_could_fetch_it(
    clean: None, settings: Settings
) -> None:
    async with serve(settings.model_copy(update={"private_networks": ()})) as client:
        for url in HOSTILE:
            answer = await generate(client, image=url)
            assert answer.status_code == 422, url
            assert answer.json()["errors"][0]["code"] == "unusable_picture", url
        assert (await client.get("/api/tasks")).json()["tasks"] == []


async def test_where_it_is_off_nothing_is_asked(clean: None, settings: Settings) -> None:
    off = settings.model_copy(update={"fetches": False})
    async with receiver() as it, serve(off) as client, worker(off):
        it.files = {"cat.png": PNG}
        answer = await generate(client, image=f"{it.url}/cat.png")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "fetches_off"
        assert it.asked == 0
