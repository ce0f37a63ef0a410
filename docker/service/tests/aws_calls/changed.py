"""Golden resources that somebody got wrong, so that a check which sees nothing is seen."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from tests.aws_calls.golden import Resource, stacks


def changed(named: str, path: str, value: Any) -> list[Resource]:
    """A stack's resources, one of them with another value.
    @param named like prod/backup-role
    @param path of the input, with dots; an index in lists
    """
    stack, name = named.split("/")
    resources = {resource.name: resource for resource in stacks()[stack]}
    inputs = deepcopy(resources[name].inputs)
    *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
    inside: Any = inputs
    for parent in parents:
        inside = inside[parent]
    inside[last] = value
    resources[name] = replace(resources[name], inputs=inputs)
    return list(resources.values())
