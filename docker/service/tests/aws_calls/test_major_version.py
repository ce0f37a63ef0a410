"""The runbook's steps to another major version on RDS and back, in moto's AWS."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.validate import validate_parameters
from moto import mock_aws

from tests.aws_calls.calls import requests
from tests.aws_calls.golden import region, stacks

RUNBOOK = Path(__file__).parents[4] / "docs/runbook.md"
STACK = "alternatives"
NAMES = {"SERVER": "postgres-server", "SUBNETS": "subnets", "GROUP": "sg-0a1b2c3d"}


def blocks() -> list[str]:
    _, section = RUNBOOK.read_text().split("\n### On RDS\n")
    return re.findall(r"^```sh\n(.*?)^```$", section.split("\n## ")[0], re.DOTALL | re.MULTILINE)


@pytest.fixture
def rds() -> Iterator[Any]:
    with mock_aws():
        ec2 = boto3.client("ec2", region_name=region(STACK))
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
        client = boto3.client("rds", region_name=region(STACK))
        client.create_db_subnet_group(
            DBSubnetGroupName="subnets", DBSubnetGroupDescription="theirs", SubnetIds=subnets
        )
        declared = next(each for each in stacks()[STACK] if each.name == "postgres-server")
        made = next(each for each in requests(declared) if each.operation == "rds.CreateDBInstance")
        elsewhere = ("VpcSecurityGroupIds", "DBSubnetGroupName", "DBParameterGroupName")
        arguments = {key: each for key, each in made.arguments.items() if key not in elsewhere}
        client.create_db_instance(**arguments | {"EngineVersion": "17"})
        yield client


def read(client: Any, line: str) -> tuple[str, dict[str, Any]]:
    """A line of the AWS command line: an operation or a waiter, and what it is given."""
    for placeholder, name in NAMES.items():
        line = re.sub(rf"\b{placeholder}\b", name, line)
    _, _, command, *words = shlex.split(line)
    if command == "wait":
        waiter = words.pop(0).replace("-", "_")
        return waiter, arguments(client, client.get_waiter(waiter).config.operation, words)
    operation = client.meta.method_to_api_mapping[command.replace("-", "_")]
    return operation, arguments(client, operation, words)


def run(client: Any, line: str) -> None:
    name, asked = read(client, line)
    if name in client.waiter_names:
        client.get_waiter(name).wait(**asked)
    else:
        getattr(client, xform_name(name))(**asked)


def arguments(client: Any, operation: str, words: list[str]) -> dict[str, Any]:
    members = client.meta.service_model.operation_model(operation).input_shape.members
    spelled = {f"--{xform_name(member, '-')}": member for member in members}
    found: dict[str, Any] = {}
    for word in words:
        if word.startswith("--"):
            member = spelled[word.replace("--no-", "--")]
            found[member] = not word.startswith("--no-")
        else:
            found[member] = [word] if members[member].type_name == "list" else word
    return found


def versions(client: Any) -> dict[str, str]:
    servers = client.describe_db_instances()["DBInstances"]
    return {each["DBInstanceIdentifier"]: each["EngineVersion"] for each in servers}


def test_the_runbooks_steps_lead_to_another_major_version_on_a_copy_first(rds: Any) -> None:
    rehearsal, forth, _ = blocks()
    for line in rehearsal.splitlines():
        run(rds, line)
        if "--engine-version" in line:
            assert versions(rds)["rehearsal"] == "18"
    assert versions(rds) == {"postgres-server": "17"}
    assert "pulumi config set --path postgres.engineVersion 18 " in forth


def test_the_runbooks_steps_back_put_the_snapshot_where_the_server_was(rds: Any) -> None:
    # moto's snapshots are their servers, as they are now.
    rehearsal, _, back = blocks()
    [_, snapshot] = read(rds, rehearsal.splitlines()[0])
    renamed, _, restored, _ = (read(rds, line) for line in back.splitlines())
    for operation, asked in (renamed, restored):
        shape = rds.meta.service_model.operation_model(operation).input_shape
        assert not validate_parameters(asked, shape)
    run(rds, back.splitlines()[0])
    assert versions(rds) == {"postgres-server-upgraded": "17"}
    declared = next(each for each in stacks()[STACK] if each.name == "postgres-server").inputs
    assert restored == (
        "RestoreDBInstanceFromDBSnapshot",
        snapshot
        | {
            "DBSubnetGroupName": "subnets",
            "VpcSecurityGroupIds": ["sg-0a1b2c3d"],
            "MultiAZ": declared["multiAz"],
            "DeletionProtection": declared["deletionProtection"],
        },
    )
