"""The HTTP contract, in standalone mode and on the stores of production."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from core.settings import Settings
from tests.service import SMALL, colour, colour_of, serve, worker


async def generate(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await client.post("/api/generate", json=SMALL | more)


async def submit(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    response = await client.post(
        "/api/generate", json=SMALL | more, headers={"Prefer": "respond-async"}
    )
    assert response.status_code == 202
    task: dict[str, Any] = response.json()
    return task


async def until_final(client: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    while True:
        task: dict[str, Any] = (await client.get(f"/api/tasks/{task_id}")).json()
        if task["status"] not in ("queued", "running"):
            return task
        await asyncio.sleep(0.05)


async def events(client: httpx.AsyncClient, task_id: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    async with client.stream("GET", f"/api/tasks/{task_id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
    return found


async def test_generate_waits_and_answers_with_the_picture(client: httpx.AsyncClient) -> None:
    response = await generate(client, num_images=2)
    assert response.status_code == 200
    task = response.json()
    assert task["status"] == "succeeded"
    assert [image["seed"] for image in task["images"]] == [7, 8]
    assert task["timings"]["generation_seconds"] is not None
    for image in task["images"]:
        picture = await client.get(image["url"])
        assert picture.headers["content-type"] == "image/png"
        assert colour_of(picture.content) == colour("a cat", image["seed"])


async def test_a_seed_is_chosen_and_told(client: httpx.AsyncClient) -> None:
    body = {name: value for name, value in SMALL.items() if name != "seed"}
    first, second = [(await client.post("/api/generate", json=body)).json() for _ in range(2)]
    assert first["images"][0]["seed"] == first["parameters"]["seed"]
    assert first["images"][0]["seed"] != second["images"][0]["seed"]


async def test_same_request_same_bytes(client: httpx.AsyncClient) -> None:
    pictures = [
        (await client.get((await generate(client)).json()["images"][0]["url"])).content
        for _ in range(2)
    ]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
async def test_accept_asks_for_the_picture_itself(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post(
        "/api/generate", json=SMALL, headers={"Accept": f"image/{kind},*/*"}
    )
    assert response.headers["content-type"] == f"image/{kind}"
    assert response.headers["location"].startswith("/api/tasks/")
    # JPEG and WebP are lossy.
    got, expected = colour_of(response.content), colour("a cat", 7)
    assert all(abs(a - b) < 8 for a, b in zip(got, expected, strict=True))


async def test_accept_and_format_must_agree(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/api/generate", json=SMALL | {"format": "png"}, headers={"Accept": "image/webp"}
    )
    assert response.status_code == 406


async def test_respond_async_answers_at_once(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/generate", json=SMALL, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    assert response.headers["location"] == f"/api/tasks/{response.json()['id']}"
    assert (await until_final(client, response.json()["id"]))["status"] == "succeeded"


async def test_wait_is_bounded_by_the_client(client_without_worker: httpx.AsyncClient) -> None:
    response = await client_without_worker.post(
        "/api/generate", json=SMALL, headers={"Prefer": "wait=1"}
    )
    assert response.status_code == 202
    assert response.json()["status"] == "queued"


async def test_progress_is_told_step_by_step(client: httpx.AsyncClient) -> None:
    task = await submit(client, steps=8, prompt="slow 0.15")
    told = await events(client, task["id"])
    names = [name for name, _ in told]
    assert names[-1] == "done"
    assert "step" in names
    assert told[-1][1]["status"] == "succeeded"
    steps = [data["step"] for name, data in told if name == "step"]
    assert steps == sorted(steps)
    assert all(data["total"] == 8 for name, data in told if name == "step")


async def test_a_queued_task_hears_its_position(client_without_worker: httpx.AsyncClient) -> None:
    client = client_without_worker
    await submit(client)
    second = await submit(client)
    asyncio.get_running_loop().call_later(
        1, lambda: asyncio.ensure_future(client.delete(f"/api/tasks/{second['id']}"))
    )
    told = await events(client, second["id"])
    assert told[0] == ("queued", {"position": 2, "eta_seconds": None, "worker_starting": True})
    assert told[-1][1]["status"] == "cancelled"


async def test_a_queued_task_is_cancelled(client_without_worker: httpx.AsyncClient) -> None:
    client = client_without_worker
    task = await submit(client)
    assert (await client.delete(f"/api/tasks/{task['id']}")).json()["status"] == "cancelled"
    assert (await client.delete(f"/api/tasks/{task['id']}")).json()["status"] == "cancelled"


async def test_a_running_task_is_cancelled_and_the_worker_goes_on(
    client: httpx.AsyncClient,
) -> None:
    task = await submit(client, steps=100, prompt="slow 0.1")
    while (await client.get(f"/api/tasks/{task['id']}")).json()["status"] == "queued":
        await asyncio.sleep(0.02)
    assert (await client.delete(f"/api/tasks/{task['id']}")).json()["status"] == "cancelled"
    # Not in the ten seconds that the task would have taken.
    assert (await asyncio.wait_for(generate(client), 5)).status_code == 200
    assert (await client.get(f"/api/tasks/{task['id']}")).json()["status"] == "cancelled"


async def test_cancelling_ends_the_wait(client_without_worker: httpx.AsyncClient) -> None:
    client = client_without_worker
    waiting = asyncio.create_task(generate(client))
    tasks: list[dict[str, Any]] = []
    while not tasks:
        await asyncio.sleep(0.05)
        tasks = (await client.get("/api/tasks")).json()["tasks"]
    await client.delete(f"/api/tasks/{tasks[0]['id']}")
    assert (await waiting).status_code == 409


async def test_idempotency_key_makes_one_task(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "order-1"}
    body = {name: value for name, value in SMALL.items() if name != "seed"}
    first, second = await asyncio.gather(
        client.post("/api/generate", json=body, headers=headers),
        client.post("/api/generate", json=body, headers=headers),
    )
    assert first.json()["id"] == second.json()["id"]
    other = await client.post("/api/generate", json=SMALL | {"steps": 3}, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:problem:idempotency-key-reused"


async def test_a_repetition_costs_no_quota_and_never_mislabels_a_picture(
    clean: None, settings: Settings
) -> None:
    limited = settings.model_copy(update={"rate_limit": "1/minute"})
    async with serve(limited) as client, worker(limited):
        for accept, expected in (
            ("image/png", 200),
            ("image/png", 200),
            ("application/json", 200),
            ("image/webp", 406),
        ):
            answer = await client.post(
                "/api/generate",
                json=SMALL,
                headers={"Idempotency-Key": "order-2", "Accept": accept},
            )
            assert answer.status_code == expected
            if expected == 200:
                assert answer.headers["content-type"] == accept
        assert (await generate(client)).status_code == 429


async def test_tasks_are_listed_in_pages(client_without_worker: httpx.AsyncClient) -> None:
    client = client_without_worker
    ids = [(await submit(client))["id"] for _ in range(5)]
    first = (await client.get("/api/tasks", params={"limit": 2})).json()
    second = (await client.get("/api/tasks", params={"limit": 2, "before": first["next"]})).json()
    third = (await client.get("/api/tasks", params={"limit": 2, "before": second["next"]})).json()
    listed = [task["id"] for page in (first, second, third) for task in page["tasks"]]
    assert listed == ids[::-1]
    assert third["next"] is None


async def test_a_full_queue_says_when_to_come_back(
    client_without_worker: httpx.AsyncClient,
) -> None:
    client = client_without_worker
    limit = 20
    answers = [
        await client.post("/api/generate", json=SMALL, headers={"Prefer": "respond-async"})
        for _ in range(limit + 1)
    ]
    assert [answer.status_code for answer in answers] == [202] * limit + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 300
    assert answers[-1].json()["type"] == "urn:problem:queue-full"


async def test_room_that_a_full_queue_gets_is_taken_at_once(
    client_without_worker: httpx.AsyncClient,
) -> None:
    client = client_without_worker
    tasks = [await submit(client) for _ in range(20)]
    await asyncio.sleep(1.1)  # the refusal's own count is the newest
    headers = {"Prefer": "respond-async"}
    refused = await client.post("/api/generate", json=SMALL, headers=headers)
    await client.delete(f"/api/tasks/{tasks[0]['id']}")
    await asyncio.sleep(0.2)
    accepted = await client.post("/api/generate", json=SMALL, headers=headers)
    assert [refused.status_code, accepted.status_code] == [429, 202]


async def test_a_queue_that_many_press_into_at_once_stays_within_its_bound(
    client_without_worker: httpx.AsyncClient,
) -> None:
    client = client_without_worker
    limit = 20

    async def press() -> int:
        headers = {"Prefer": "respond-async"}
        requests = [client.post("/api/generate", json=SMALL, headers=headers) for _ in range(40)]
        return sum([answer.status_code == 202 for answer in await asyncio.gather(*requests)])

    accepted = await press()
    # Each round the queue is counted anew, while the others of the round are asking already.
    for _ in range(2):
        await asyncio.sleep(1.1)
        accepted += await press()
    assert accepted == limit


async def test_unknown_tasks_and_pictures_are_404(client: httpx.AsyncClient) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    assert (await client.get(f"/api/tasks/{nobody}")).status_code == 404
    assert (await client.delete(f"/api/tasks/{nobody}")).status_code == 404
    assert (await client.get(f"/api/tasks/{nobody}/events")).status_code == 404
    task = (await generate(client)).json()
    assert (await client.get(f"/api/tasks/{task['id']}/images/1")).status_code == 404


async def test_the_queue_is_visible(client: httpx.AsyncClient) -> None:
    await generate(client)
    queue = (await client.get("/api/queue")).json()
    assert queue == {"queued": 0, "running": 0, "finished_last_minute": 1, "workers": 1}


async def test_metrics_have_the_agreed_names(client: httpx.AsyncClient, settings: Settings) -> None:
    await generate(client)
    async with httpx.AsyncClient() as anyone:
        text = (await anyone.get(client.metrics_url)).text  # type: ignore[attr-defined]
    assert 'aigc_requests_total{endpoint="generate",status="success"}' in text
    # Of workers, which standalone mode has in the same process.
    assert ("aigc_generation_seconds_bucket" in text) is settings.standalone
    assert "aigc_queue_size 0.0" in text
    assert 'aigc_queue_oldest_age_seconds{model="noop"} 0.0' in text
    assert "aigc_backup_last_success_timestamp_seconds 0.0" in text
    assert "aigc_archive_fails 0.0" in text
    assert "aigc_restore_drill_failed 0.0" in text
    assert "aigc_scrub_last_success_timestamp_seconds 0.0" in text
    assert "aigc_damaged_pictures 0.0" in text


async def test_probes(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200


async def test_requests_carry_an_id(client: httpx.AsyncClient) -> None:
    given = await client.get("/healthz", headers={"X-Request-Id": "edge-42"})
    assert given.headers["x-request-id"] == "edge-42"
    odd = await client.get("/healthz", headers={"X-Request-Id": "a b"})
    assert odd.headers["x-request-id"] not in ("", "a b")
