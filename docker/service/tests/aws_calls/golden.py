"""What the golden files declare of AWS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[4] / "test/golden"


@dataclass(frozen=True)
class Resource:
    """A resource of AWS as the program declares it."""

    stack: str
    # Logical; the recorder gives it as physical name and id, too.
    name: str
    type: str
    inputs: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.stack}/{self.name}"


@cache
def stacks() -> dict[str, list[Resource]]:
    """Every stack's resources of AWS, each after what it depends on."""
    found = {directory.name: list(_ordered(directory)) for directory in sorted(GOLDEN.glob("*/"))}
    return {stack: resources for stack, resources in found.items() if resources}


def region(stack: str) -> str:
    provider = json.loads((GOLDEN / stack / "aws.json").read_text())
    return str(provider["inputs"]["region"])


def _ordered(directory: Path) -> Iterator[Resource]:
    declared = {
        file.stem: json.loads(file.read_text()) for file in sorted(directory.glob("*.json"))
    }
    graph = {name: resource["dependencies"] for name, resource in declared.items()}
    for name in TopologicalSorter(graph).static_order():
        if name not in declared:  # what is looked up, and made by nobody
            continue
        kind = declared[name]["type"]
        if kind.startswith("aws:"):
            yield Resource(
                directory.name, name, kind.removeprefix("aws:"), _plain(declared[name]["inputs"])
            )


def _plain(value: Any) -> Any:
    """Golden files mark secrets and split text into lines."""
    match value:
        case list():
            return [_plain(inner) for inner in value]
        case {"secret": inner, **others} if not others:
            return _plain(inner)
        case {"lines": list(lines), **others} if not others:
            return "\n".join(lines)
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case _:
            return value
