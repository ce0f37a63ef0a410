"""Content Credentials, read by C2PA's own reader from what clients are given."""

import asyncio
import base64
import io
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
import trustme
from c2pa import C2paError, Reader
from PIL import Image
from pydantic import SecretStr

from core.settings import Settings
from tasks.parameters import ImageFormat, Parameters
from tests import signing
from tests.receiver import receiver
from tests.service import SMALL, serve, worker
from worker.credentials import Credentials
from worker.encode import encode

DRAWN = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
GREEN = Image.new("RGB", (64, 48), "green")


@pytest.fixture(scope="module")
def identity() -> signing.Identity:
    return signing.identity()


@pytest.mark.parametrize("kind", signing.KINDS)
@pytest.mark.parametrize("format_", ImageFormat)
def test_a_file_of_each_format_is_signed_by_each_kind_of_key(
    kind: str, format_: ImageFormat
) -> None:
    it = signing.identity(kind)
    asked = Parameters(prompt="a cat", format=format_, seed=7)
    file = encode(GREEN, asked, 0)
    signed = Credentials(it.certificates, it.key, "owner/model").sign(file, asked)
    state, action = it.read(signed, asked.format.media_type)
    assert state == "Trusted"
    assert action == {
        "action": "c2pa.created",
        "digitalSourceType": DRAWN,
        "softwareAgent": {"name": "owner/model"},
    }
    with Image.open(io.BytesIO(signed)) as after, Image.open(io.BytesIO(file)) as before:
        assert after.tobytes() == before.tobytes()
        assert after.getexif() == before.getexif()
        assert after.info.get("parameters") == before.info.get("parameters")


def test_what_is_drawn_into_a_picture_is_called_that(identity: signing.Identity) -> None:
    an_id = "01900000-0000-7000-8000-000000000000"
    asked = Parameters(prompt="a cat", image=an_id, mask=an_id, model="owner/other")
    it = Credentials(identity.certificates, identity.key, "owner/model")
    _, action = identity.read(it.sign(encode(GREEN, asked, 0), asked), "image/png")
    assert action["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert action["softwareAgent"] == {"name": "owner/other"}


def test_a_changed_picture_is_found_out(identity: signing.Identity) -> None:
    asked = Parameters(prompt="a cat", format=ImageFormat.JPEG)
    it = Credentials(identity.certificates, identity.key, "owner/model")
    signed = bytearray(it.sign(encode(GREEN, asked, 0), asked))
    signed[-8] ^= 1
    assert identity.read(bytes(signed), "image/jpeg")[0] == "Invalid"


def test_a_key_of_another_certificate_ends_the_start(identity: signing.Identity) -> None:
    with pytest.raises(ValueError, match="C2PA_KEY"):
        Credentials(identity.certificates, signing.identity().key, "owner/model")


def test_a_certificate_for_servers_ends_the_start() -> None:
    """Readers refuse it, so it is told at once."""
    issued = trustme.CA().issue_cert("images.example.com")
    certificates = "".join(pem.bytes().decode() for pem in issued.cert_chain_pems)
    with pytest.raises(ValueError, match="C2PA_"):
        Credentials(certificates, issued.private_key_pem.bytes().decode(), "owner/model")


class TestThroughTheService:
    @pytest.fixture
    def settings(self, settings: Settings, identity: signing.Identity) -> Settings:
        return settings.model_copy(
            update={
                "c2pa_certificates": SecretStr(identity.certificates),
                "c2pa_key": SecretStr(identity.key),
            }
        )

    @pytest.mark.parametrize("format_", ["png", "jpeg", "webp"])
    async def test_every_way_to_have_a_picture_gives_the_signed_file(
        self, client: httpx.AsyncClient, identity: signing.Identity, format_: str
    ) -> None:
        task = (await client.post("/api/generate", json=SMALL | {"format": format_})).json()
        url = task["images"][0]["url"]
        own = (await client.get(url, follow_redirects=True)).content
        assert identity.read(own, f"image/{format_}")[0] == "Trusted"
        direct = await client.post(
            "/api/generate", json=SMALL, headers={"Accept": f"image/{format_}"}
        )
        assert identity.read(direct.content, f"image/{format_}")[0] == "Trusted"
        asked: Any = {"prompt": "a cat", "size": "256x256", "output_format": format_}
        answer = await client.post(
            "/v1/images/generations", json=asked | {"response_format": "b64_json"}
        )
        file = base64.b64decode(answer.json()["data"][0]["b64_json"])
        assert identity.read(file, f"image/{format_}")[0] == "Trusted"

    @pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
    async def test_so_does_an_upload(self, settings: Settings, identity: signing.Identity) -> None:

        networks = (ip_network("127.0.0.0/8"),)
        more = {"uploads": True, "private_networks": networks, "relay_seconds": 0.1}
        settings = settings.model_copy(update=more)
        async with receiver() as it, serve(settings) as client, worker(settings):
            asked = SMALL | {"upload": [f"{it.url}/one.png"]}
            assert (await client.post("/api/generate", json=asked)).status_code == 200
            while not it.taken:
                await asyncio.sleep(0.05)
        assert identity.read(it.taken[0][1], "image/png")[0] == "Trusted"


async def test_without_a_key_nothing_is_signed(client: httpx.AsyncClient) -> None:
    file = await client.post("/api/generate", json=SMALL, headers={"Accept": "image/png"})
    with pytest.raises(C2paError.ManifestNotFound):
        Reader("image/png", io.BytesIO(file.content))
