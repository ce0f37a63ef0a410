"""One request's lines can be found, and none tells what only the client may know."""

import asyncio
import base64
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.faults.system import SECRET, System, system
from tests.service import SMALL
from tests.stores import free_port

pytestmark = pytest.mark.stores

PROMPT = "a canary that sings in a coal mine"
WEBHOOK_SECRET = f"whsec_{base64.b64encode(bytes(32)).decode()}"
HOOK_TOKEN = "what-a-receiver-knows-its-callers-by"


def lines(it: System) -> list[dict[str, Any]]:
    """What every process has said, in the order of time."""
    texts = [path.read_text() for path in it.directory.glob("*-*.log")]
    said = [json.loads(line) for text in texts for line in text.splitlines()]
    return sorted(said, key=lambda line: line["time"])


def raw(it: System) -> str:
    return "".join(path.read_text() for path in it.directory.glob("*-*.log"))


async def post(it: System, body: dict[str, Any], **headers: str) -> httpx.Response:
    headers["Authorization"] = f"Bearer {SECRET}"
    async with httpx.AsyncClient(timeout=30) as client:
        while True:  # until the process listens
            try:
                return await client.post(
                    f"{it.apis[0].url}/api/generate", json=body, headers=headers
                )
            except httpx.ConnectError:
                await asyncio.sleep(0.1)


async def until(it: System, message: str) -> None:
    for _ in range(200):
        if message in raw(it):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(raw(it))


async def test_a_requests_path_is_found_by_its_id_from_the_api_to_the_worker() -> None:
    async with system(workers=1) as it:
        answer = await post(it, SMALL, **{"X-Request-ID": "the-edges-own"})
        assert answer.status_code == 200
        await until(it, "task left")
        path = [line for line in lines(it) if line.get("request_id") == "the-edges-own"]
        assert [line["message"] for line in path] == ["task accepted", "task started", "task left"]
        assert {line["task_id"] for line in path} == {answer.headers["X-Task-Id"]}
        assert {line["level"] for line in path} == {"INFO"}


async def test_what_goes_wrong_in_a_request_is_logged_with_its_id() -> None:
    async with system(workers=1) as it:
        await post(it, SMALL)
        await it.database.execute("ALTER TABLE tasks RENAME TO gone")
        answer = await post(it, SMALL, **{"X-Request-ID": "the-unlucky"})
        assert answer.status_code == 500
        (line,) = [line for line in lines(it) if line.get("request_id") == "the-unlucky"]
        assert (line["level"], line["message"]) == ("ERROR", "bug")


async def test_no_line_holds_a_secret_or_what_was_asked_for() -> None:
    async with system(workers=1) as it:
        wanted = SMALL | {"prompt": PROMPT, "negative_prompt": PROMPT}
        assert (await post(it, wanted)).status_code == 200
        # What the client got wrong.
        assert (await post(it, wanted | {"steps": 10_000})).status_code == 422
        # Rows that the database refuses: those that come together go by SQLAlchemy, which quotes
        # what it sent.
        await it.database.execute(
            "ALTER TABLE tasks ADD CONSTRAINT cheap"
            " CHECK (parameters::jsonb ->> 'seed' <> '8') NOT VALID"
        )
        refused = await asyncio.gather(*(post(it, wanted | {"seed": 8}) for _ in range(8)))
        assert {answer.status_code for answer in refused} == {500}
        # A webhook that nobody answers.
        hook = {"webhook": f"http://127.0.0.1:{free_port()}/hook?token={HOOK_TOKEN}"}
        it.env |= {"WEBHOOK_SECRET": WEBHOOK_SECRET, "WEBHOOK_NETWORKS": "127.0.0.0/8"}
        for api in it.apis:
            api.kill()
        assert (await post(it, wanted | hook)).status_code == 200
        tried = "SELECT count(*) FROM webhook_attempts"
        while not await it.database.fetchval(tried):
            await asyncio.sleep(0.1)
        # A task that a worker can't read.
        await it.database.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " NEW.parameters := jsonb_set(NEW.parameters::jsonb, '{steps}',"
            " NEW.parameters::jsonb -> 'prompt'); RETURN NEW; END $$;"
            "CREATE TRIGGER spoil BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
        spoilt = asyncio.create_task(post(it, wanted))
        await until(it, "attempt failed")
        spoilt.cancel()
        said = raw(it)
        assert '"bug"' in said
        stores = (it.postgres_url, it.redis_url)
        for canary in (PROMPT, "canary", SECRET, WEBHOOK_SECRET, HOOK_TOKEN, *stores):
            assert canary not in said, next(line for line in said.splitlines() if canary in line)


async def test_every_line_of_the_processes_is_one_json_object() -> None:
    async with system(workers=1) as it:
        await post(it, SMALL)
        await it.workers[0].leave()
        await it.apis[0].leave()
        for line in lines(it):
            assert {"time", "level", "logger", "message"} <= line.keys()
            assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)
