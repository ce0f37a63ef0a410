"""The requests of calls.yaml, filled in with what a resource declares."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.aws_calls.converted import Inputs, converted
from tests.aws_calls.golden import Resource, region
from tests.aws_calls.models import request_shape, spelled

TABLE: dict[str, list[dict[str, Inputs]]] = yaml.safe_load(
    Path(__file__).with_name("calls.yaml").read_text()
)


@dataclass(frozen=True)
class Request:
    # Like ec2.CreateSubnet.
    operation: str
    arguments: Inputs
    # Where the answer has the id by which others name the resource, with dots.
    answer: str


class UnknownError(Exception):
    """The table doesn't say where something of a resource goes."""


def requests(resource: Resource, digits: str = "") -> list[Request]:
    """@param digits end the names that the program leaves to Pulumi
    @raises UnknownError for a type without a row, and an input that no call takes"""
    row = TABLE.get(resource.type.split(":")[0])
    if row is None:
        raise UnknownError(f"{resource}: there is no row for {resource.type}")
    calls = [call for each in row for call in each.items()]
    inputs = {"name": resource.name + digits} | resource.inputs
    elsewhere = {key for _, paths in calls for key in paths}
    made = []
    for index, (operation, paths) in enumerate(calls):
        known = inputs | {"self": resource.name, "region": region(resource.stack)}
        taken = {key: known[key] for key in paths if key in known}
        if index == 0:
            members = {member.lower() for member in request_shape(operation).members}
            left = {key: resource.inputs[key] for key in resource.inputs.keys() - elsewhere}
            if unknown := [key for key in left if key.lower() not in members]:
                raise UnknownError(f"{resource}: {operation} takes no {', '.join(unknown)}")
            taken |= left
        made.append(
            Request(operation, _arguments(operation, paths, taken), paths.get("answer", ""))
        )
    return made


def _arguments(operation: str, paths: Inputs, taken: Inputs) -> Inputs:
    arguments: Inputs = deepcopy(paths.get("also", {}))
    for key, value in taken.items():
        said = converted.get(key, deepcopy)(value)
        *parents, last = paths.get(key, key).split(".")
        inside = arguments
        for parent in parents:
            inside = inside.setdefault(parent, {})
        inside.update({last: said} if last else said)
    written: Inputs = spelled(request_shape(operation), arguments)
    return written


def resolved(value: Any, ids: dict[str, str]) -> Any:
    """A request with the ids that AWS gave, where the golden files have logical names."""
    match value:
        case dict():
            return {key: resolved(inner, ids) for key, inner in value.items()}
        case list():
            return [resolved(inner, ids) for inner in value]
        case str():
            return ids.get(value, value)
        case _:
            return value
