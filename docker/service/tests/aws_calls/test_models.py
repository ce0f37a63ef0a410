"""Every request has the members, kinds, sizes, patterns and enumerations of AWS's own models."""

from typing import Any

import pytest

from tests.aws_calls.calls import UnknownError, requests, resolved
from tests.aws_calls.changed import changed
from tests.aws_calls.golden import Resource, stacks
from tests.aws_calls.models import faults

ALL = [resource for resources in stacks().values() for resource in resources]
DIGITS = "-0a1b2c3"
"""Pulumi ends the name of what the program gives none with seven random hex digits."""


# Of the ids that AWS gives, those whose form its models know.
PREFIXES = {"ec2/securityGroup": "sg", "ec2/subnet": "subnet", "efs/fileSystem": "fs"}
IDS = {
    resource.name: f"{PREFIXES[kind]}-0a1b2c3d"
    for resource in ALL
    if (kind := resource.type.split(":")[0]) in PREFIXES
}


def refused(resource: Resource) -> list[str]:
    return [
        fault
        for request in requests(resource, DIGITS)
        for fault in faults(request.operation, resolved(request.arguments, IDS))
    ]


@pytest.mark.parametrize("resource", ALL, ids=str)
def test_what_is_asked_of_aws_is_as_its_models_have_it(resource: Resource) -> None:
    assert refused(resource) == []


@pytest.mark.parametrize(
    ("named", "path", "value"),
    [
        ("alternatives/backup-bucket-lock", "rule.defaultRetention.mode", "LOCKED"),
        ("alternatives/postgres-server", "multiAz", "yes"),
        ("alternatives/redis-server", "transitEncryptionMode", "always"),
        ("eks/ci-prod-role", "maxSessionDuration", 43201),
        ("eks/cluster-logs", "retentionInDays", "90"),
        ("eks/gpu-nodes-group", "amiType", "AL2023_X86_64_NVIDIA"),
        # As Kubernetes writes it.
        ("eks/gpu-nodes-group", "taints.0.effect", "NoSchedule"),
        ("eks/nodes-template", "blockDeviceMappings.0.ebs.volumeType", "gp9"),
        ("eks/registry-images", "name", "Image Service"),
        ("prod/backup-role-association", "namespace", 5),
    ],
)
def test_a_wrong_value_is_refused(named: str, path: str, value: Any) -> None:
    wrong = next(each for each in changed(named, path, value) if str(each) == named)
    assert refused(wrong) != []


def test_an_input_that_aws_has_no_member_for_is_refused() -> None:
    resources = changed("eks/network-vpc", "colour", "blue")
    with pytest.raises(UnknownError, match="takes no colour"):
        [requests(resource) for resource in resources]
