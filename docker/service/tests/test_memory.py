"""What the api's container is given, 512 MiB, is enough for large answers at once."""

import asyncio
import base64
import os
import re
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.service import SECRET
from tests.stores import free_port

LIMIT_KIB = 512 * 1024
PICTURE = 31 * 2**20
AT_ONCE = 12


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stream", [False, True])
async def test_twelve_large_answers_at_once_fit_into_the_apis_memory(
    tmp_path: Path, stream: bool
) -> None:
    port = free_port()
    environment = {
        "API_SECRET": SECRET,
        "MODEL_ID": "noop",
        "DATA_DIR": str(tmp_path),
        "METRICS_PORT": str(free_port()),
        "RATE_LIMIT": "1000/minute",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "api:app", "--port", str(port)),
        cwd=Path(__file__).parents[1],
        env=os.environ | environment,
        stderr=asyncio.subprocess.DEVNULL,
    )
    headers = {"Authorization": f"Bearer {SECRET}", "Idempotency-Key": "large"}
    body = {"prompt": "a cat", "size": "256x256", "model": "gpt-image-2", "stream": stream}
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=250) as client:
            while True:
                try:
                    await client.get("/healthz")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.1)
            first = await client.post("/v1/images/generations", json=body)
            assert first.status_code == 200
            (file,) = tmp_path.glob("outputs/*/*/0.png")
            picture = os.urandom(PICTURE)
            file.write_bytes(picture)

            async def answer() -> bytes:
                """The start of the picture; what follows it is counted and thrown away."""
                start, length = b"", 0
                async with client.stream("POST", "/v1/images/generations", json=body) as reply:
                    assert reply.status_code == 200
                    async for piece in reply.aiter_raw():
                        start += piece if len(start) < 2000 else b""
                        length += len(piece)
                assert length > PICTURE * 4 / 3
                return start

            starts = await asyncio.gather(*(answer() for _ in range(AT_ONCE)))
            assert all(base64.b64encode(picture[:300]) in start for start in starts)
            whole = (await client.post("/v1/images/generations", json=body)).text
            found = re.search(r'"b64_json": "([^"]+)"', whole)
            assert found
            assert base64.b64decode(found[1], validate=True) == picture
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0])
        print(f"peak: {peak // 1024} MiB")
        assert peak < LIMIT_KIB
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
