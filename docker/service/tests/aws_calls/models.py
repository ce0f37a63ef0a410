"""The models of AWS's services that botocore ships, and what they say of a request.

botocore's own check knows types, required members and the least sizes; the models also hold
enumerations, patterns and the greatest sizes.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator


@cache
def request_shape(operation: str) -> Shape:
    """@param operation like ec2.CreateSubnet"""
    service, name = operation.split(".")
    model = botocore.session.get_session().get_service_model(service)
    return model.operation_model(name).input_shape


def spelled(shape: Shape, value: Any) -> Any:
    """A value as AWS writes it, where the provider's schema has it another way: names that begin
    small, documents that are objects, tags that are a map, switches that are text so that they can
    be left out, and what there is one of without its list. Unknown names stay, for `faults`."""
    match shape.type_name, value:
        case "structure", dict():
            members = {name.lower(): name for name in shape.members}
            named = {members.get(key.lower(), key): inner for key, inner in value.items()}
            return {
                name: spelled(shape.members[name], inner) if name in shape.members else inner
                for name, inner in named.items()
            }
        case "map", dict():
            return {key: spelled(shape.value, inner) for key, inner in value.items()}
        case "list", list():
            return [spelled(shape.member, inner) for inner in value]
        case "list", dict() if {*getattr(shape.member, "members", ())} == {"Key", "Value"}:
            return [{"Key": key, "Value": inner} for key, inner in value.items()]
        case "list", _:
            return [spelled(shape.member, value)]
        case "string", dict():
            return json.dumps(value)
        case "boolean", "true" | "false":
            return value == "true"
        case _:
            return value


def faults(operation: str, arguments: dict[str, Any]) -> list[str]:
    """What the model refuses of a request, one sentence each."""
    shape = request_shape(operation)
    report = ParamValidator().validate(arguments, shape).generate_report()
    return [*report.splitlines(), *_limits(shape, arguments, operation)]


def _limits(shape: Shape, value: Any, at: str) -> Iterator[str]:
    match shape.type_name, value:
        case "structure", dict():
            for name in value.keys() & shape.members.keys():
                yield from _limits(shape.members[name], value[name], f"{at}.{name}")
        case "map", dict():
            for key, inner in value.items():
                yield from _limits(shape.key, key, f"{at}.{key}")
                yield from _limits(shape.value, inner, f"{at}.{key}")
        case "list", list():
            for index, inner in enumerate(value):
                yield from _limits(shape.member, inner, f"{at}[{index}]")
        case "string", str():
            if shape.enum and value not in shape.enum:
                yield f"{at} is {value!r}, and must be one of {', '.join(shape.enum)}"
            pattern = shape.metadata.get("pattern")
            if pattern and not re.fullmatch(pattern, value):
                yield f"{at} is {value!r}, and must be like {pattern}"
    size = len(value) if isinstance(value, str | list | dict) else value
    if size > shape.metadata.get("max", size):
        yield f"{at} is {value!r}, above {shape.metadata['max']}"
