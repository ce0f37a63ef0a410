"""What the time of workers costs, and what of it was drawing."""

import asyncio

import httpx
import pytest

from core.settings import Settings
from tests.service import SMALL, serve
from tests.test_metrics import sample, samples, scrape


async def seconds(client: httpx.AsyncClient, metric: str) -> dict[str, float]:
    values = samples(await scrape(client))
    return {doing: values[sample(metric, doing=doing)] for doing in ("starting", "idle", "drawing")}


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_a_workers_time_is_counted_by_what_it_did_and_has_its_price(
    clean: None, settings: Settings
) -> None:
    priced = settings.model_copy(update={"gpu_price": 3.6})
    async with serve(priced) as client:
        before = await seconds(client, "aigc_worker_seconds_total")
        cost_before = await seconds(client, "aigc_cost_total")
        began = asyncio.get_running_loop().time()
        slow = SMALL | {"prompt": "slow 0.2", "steps": 10}
        assert (await client.post("/api/generate", json=slow)).status_code == 200
        await asyncio.sleep(6)  # until idle time has been counted
        took = asyncio.get_running_loop().time() - began
        after = await seconds(client, "aigc_worker_seconds_total")
        cost_after = await seconds(client, "aigc_cost_total")
    spent = {doing: after[doing] - before[doing] for doing in after}
    # Ten steps of 0.2 s.
    assert 2 <= spent["drawing"] <= took
    assert spent["idle"] > 0
    for doing, time in spent.items():
        cost = cost_after[doing] - cost_before[doing]
        assert cost == pytest.approx(time * 3.6 / 3600)
