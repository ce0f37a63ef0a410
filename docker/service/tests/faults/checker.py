"""Proves from the clients' histories and the stores: nothing lost, doubled or swapped."""

import json
from dataclasses import dataclass, field

from tests.faults.clients import Record
from tests.faults.system import System
from tests.service import colour, colour_of

_FINAL = {"succeeded", "failed", "cancelled"}


@dataclass
class Verdict:
    accepted: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    swapped: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.swapped)


async def check(system: System, history: list[Record], expected: str = "succeeded") -> Verdict:
    verdict = Verdict(accepted=len(history))
    rows = {str(row["id"]): row for row in await system.database.fetch("SELECT * FROM tasks")}
    for record in history:
        row = rows.get(record.task_id or "")
        if row is None or row["status"] != expected:
            verdict.lost.append(f"{record.task_id}: {row and row['status']}")
            continue
        await _check_one_outcome(system, record, verdict)
        if json.loads(row["parameters"])["prompt"] != record.prompt:
            verdict.swapped.append(f"{record.task_id}: another prompt")
        if expected == "succeeded":
            _check_pictures(system, record, json.loads(row["images"]), verdict)
    known = {record.task_id for record in history}
    verdict.duplicated += [f"{task_id}: nobody knows it" for task_id in rows.keys() - known]
    return verdict


async def _check_one_outcome(system: System, record: Record, verdict: Verdict) -> None:
    transitions = await system.database.fetch(
        "SELECT status FROM transitions WHERE task_id = $1 ORDER BY at", record.task_id
    )
    finals = [row["status"] for row in transitions if row["status"] in _FINAL]
    if len(finals) != 1:
        verdict.duplicated.append(f"{record.task_id}: {finals}")
    seen_finals = {status for status in record.seen if status in _FINAL}
    if seen_finals - set(finals):
        verdict.duplicated.append(f"{record.task_id}: the client saw {seen_finals}")


def _check_pictures(
    system: System, record: Record, images: list[dict[str, object]], verdict: Verdict
) -> None:
    if len(images) != record.num_images:
        verdict.duplicated.append(f"{record.task_id}: {len(images)} pictures")
        return
    for n, image in enumerate(images):
        path = system.directory / "pictures" / str(image["object_key"])
        if not path.exists():
            verdict.lost.append(f"{record.task_id}: no picture {n}")
        elif colour_of(path.read_bytes()) != colour(record.prompt, record.seed + n):
            verdict.swapped.append(f"{record.task_id}: another picture {n}")
