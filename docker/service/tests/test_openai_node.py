"""OpenAI's own Node client, unchanged."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.service import SECRET, colour_of
from tests.test_lora_requests import source

_CLIENT = Path(__file__).with_name("openai-node")

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None and "CI" not in os.environ, reason="needs Node and npm on the PATH"
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"loras": (source("ink"),)})


@pytest.mark.timeout(120)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_the_node_client_generates_pictures(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    directory = shutil.copytree(
        _CLIENT, tmp_path / "client", ignore=shutil.ignore_patterns("node_modules")
    )
    install = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    await asyncio.to_thread(subprocess.run, install, cwd=directory, check=True)
    process = await asyncio.create_subprocess_exec(
        *("node", "client.mjs"),
        cwd=directory,
        env=os.environ | {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": f"{client.base_url}/v1"},
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    seen = json.loads(output)
    first, second = (colour_of(base64.b64decode(picture)) for picture in seen["base64"])
    assert first != second
    assert seen["type"] == "image/png"
    assert seen["events"] == [
        ["image_generation.partial_image", 0, "256x256", True],
        ["image_generation.partial_image", 1, "256x256", True],
        ["image_generation.completed", None, "256x256", True],
    ]
    assert seen["taskId"]
    assert seen["usage"]["total_tokens"] == 1 * 2 + 256
    assert seen["models"] == ["noop"]
    for task in seen["byLora"]:
        asked = (await client.get(f"/api/tasks/{task}")).json()["parameters"]
        assert asked["loras"] == [{"name": "ink", "weight": 0.5}]
    invalid = {"known": True, "type": "invalid_request_error"}
    assert seen["wrongKey"] == invalid | {"param": None, "code": "invalid_api_key"}
    assert seen["wrongSize"] == invalid | {"param": "size", "code": "invalid_value"}
    assert seen["wrongLora"] == invalid | {"param": "loras", "code": "invalid_value"}
    assert seen["failing"]["known"]
    failed = (await client.get("/api/tasks", params={"status": "failed"})).json()["tasks"]
    assert len(failed) == 1, "it tried again what is final"
    assert len(seen["edits"]) == 2
    assert seen["edit"] == invalid | {"param": "image", "code": "invalid_value"}
    assert seen["variation"] == invalid | {"param": None, "code": "unsupported_endpoint"}
