"""The stacks are made in moto's AWS, which looks at what names what, and into documents."""

from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.aws_calls.calls import requests, resolved
from tests.aws_calls.changed import changed
from tests.aws_calls.golden import Resource, region, stacks

UNASKED = {
    # moto 5.2.5 doesn't serve them.
    "eks.AssociateAccessPolicy",
    "eks.CreateAccessEntry",
    "eks.CreateAddon",
    "eks.CreatePodIdentityAssociation",
    "eks.UpdateAddon",
    "elasticache.CreateCacheParameterGroup",
    "elasticache.ModifyCacheParameterGroup",
    # The stack is made, not destroyed.
    "elasticache.DeleteReplicationGroup",
    "rds.DeleteDBInstance",
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The account of the golden files.
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "111122223333")
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield


def make(resources: list[Resource]) -> None:
    """As `pulumi up` does, each after what it depends on."""
    ids = there(region(resources[0].stack))
    for resource in resources:
        for request in requests(resource):
            if request.operation in UNASKED:
                continue
            service, operation = request.operation.split(".")
            client = boto3.client(service, region_name=region(resource.stack))
            answer = getattr(client, xform_name(operation))(**resolved(request.arguments, ids))
            if request.answer:
                ids[resource.name] = reduce(getitem, request.answer.split("."), answer)


def there(place: str) -> dict[str, str]:
    """What the stacks name and don't make, by its golden name."""
    ec2 = boto3.client("ec2", region_name=place)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        subnet: ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"{place}{'ab'[index]}"
        )["Subnet"]["SubnetId"]
        for index, subnet in enumerate(("subnet-0a1b2c3d", "subnet-4e5f6a7b"))
    }
    nodes = ec2.create_security_group(GroupName="nodes", Description="EKS makes it", VpcId=vpc)
    return subnets | {"vpc-0a1b2c3d": vpc, "the-nodes": nodes["GroupId"]}


@pytest.mark.parametrize("stack", stacks())
def test_a_stack_can_be_made(stack: str) -> None:
    make(stacks()[stack])


@pytest.mark.parametrize(
    ("named", "path", "value", "operation"),
    [
        ("alternatives/postgres-server", "dbSubnetGroupName", "another", "CreateDBInstance"),
        (
            "alternatives/restore-role-policy",
            "policy.Statement.0.Effect",
            "Permit",
            "PutRolePolicy",
        ),
        ("eks/network-private-a", "cidrBlock", "192.168.0.0/24", "CreateSubnet"),
        (
            "eks/nodes-role-AmazonEKSWorkerNodePolicy",
            "policyArn",
            "arn:aws:iam::aws:policy/Worker",
            "AttachRolePolicy",
        ),
        (
            "eks/registry-lifecycle",
            "policy.rules.0.selection.countType",
            "imageCount",
            "PutLifecyclePolicy",
        ),
        ("eks/storage-files-a", "fileSystemId", "another", "CreateMountTarget"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    named: str, path: str, value: Any, operation: str
) -> None:
    with pytest.raises(ClientError, match=operation):
        make(changed(named, path, value))
