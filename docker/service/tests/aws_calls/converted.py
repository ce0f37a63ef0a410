"""Inputs that a request has in another form than the provider's schema."""

from collections.abc import Callable
from typing import Any

Inputs = dict[str, Any]


def _permissions(rules: list[Inputs]) -> list[Inputs]:
    return [
        {
            "IpProtocol": rule["protocol"],
            "FromPort": rule["fromPort"],
            "ToPort": rule["toPort"],
            "IpRanges": [{"CidrIp": network} for network in rule.get("cidrBlocks", [])],
            "UserIdGroupPairs": [{"GroupId": group} for group in rule.get("securityGroups", [])],
        }
        for rule in rules
    ]


def _but_for(allowed: list[Inputs]) -> list[Inputs]:
    assert not allowed, "no group of ours lets out"
    return [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


def _route(routes: list[Inputs]) -> Inputs:
    (route,) = routes
    return {"DestinationCidrBlock" if key == "cidrBlock" else key: route[key] for key in route}


def _parameters(given: list[Inputs]) -> list[Inputs]:
    # ElastiCache's have no method.
    return [{f"Parameter{key.title()}": each[key] for key in each} for each in given]


def _nothing(_: bool) -> Inputs:
    return {}


def _target(arn: str) -> list[Inputs]:
    # The provider gives it an id at random.
    return [{"Id": "target", "Arn": arn}]


converted: dict[str, Callable[[Any], Any]] = {
    "arn": _target,
    "egress": _but_for,
    "enableKeyRotation": _nothing,
    "ingress": _permissions,
    "messageRetentionSeconds": str,
    "parameters": _parameters,
    "routes": _route,
    "sqsManagedSseEnabled": lambda given: str(given).lower(),
    "updateDefaultVersion": _nothing,
}
