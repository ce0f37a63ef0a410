"""The service keeps what its OpenAPI document promises, by all of schemathesis's checks."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.service import SECRET


@pytest.mark.timeout(400)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_schemathesis_finds_nothing(client: httpx.AsyncClient, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(
            str(Path(sys.executable).parent / "schemathesis"),
            *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
            "run",
            f"{client.base_url}/openapi.json",
        ),
        *("--header", f"Authorization: Bearer {SECRET}", "--checks", "all"),
        # DELETE cancels a task; it stays to be read.
        *("--exclude-checks", "use_after_free"),
        *("--max-examples", "30", "--seed", "35", "--generation-database", "none", "--no-color"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
