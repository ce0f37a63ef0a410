"""Backups by a role: rclone with the environment that is declared, before AWS's own names."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import aws, aws_names

RCLONE = Path(sys.executable).parent / "rclone"
PICTURES, BACKUPS = "store:pictures-bucket-store", "backup:backup-bucket-store"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[aws.Account]:
    with aws.account(tmp_path_factory.mktemp("aws")) as account:
        yield account


@pytest.fixture(params=aws.WAYS)
def pod(
    request: pytest.FixtureRequest, account: aws.Account, tmp_path: Path
) -> Iterator[Callable[[str], Run]]:
    with ExitStack() as stack:

        def start(role: str) -> Run:
            way = aws.WAYS[request.param]
            giver, given = stack.enter_context(way(account, role, tmp_path))
            names = stack.enter_context(aws_names.answering(account, giver))
            account.ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
            # Only here: the proxy, and its CA.
            here = names | {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "HOME": str(tmp_path)}
            environment = aws.golden("backups-environment")["stringData"]["secret"] | given | here

            def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
                command = [str(RCLONE), "--retries=1", "--low-level-retries=1", *arguments]
                return subprocess.run(
                    command,
                    env={"PATH": os.environ["PATH"]} | environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )

            return run

        yield start


def test_a_backup_reads_pictures_and_adds_to_backups_and_no_more(
    pod: Callable[[str], Run], account: aws.Account, tmp_path: Path
) -> None:
    account.s3.put_object(Bucket="pictures-bucket-store", Key="outputs/1.png", Body=b"a picture")
    dump = tmp_path / "dump"
    dump.write_text("a dump")
    rclone = pod("backup")
    for done in (
        rclone("copyto", str(dump), f"{BACKUPS}/database/1.dump"),
        rclone("copy", "--include", "/outputs/**", PICTURES, BACKUPS),
    ):
        assert done.returncode == 0, done.stderr
    copy = account.s3.get_object(Bucket="backup-bucket-store", Key="outputs/1.png")
    assert copy["Body"].read() == b"a picture"
    for refused in (
        rclone("deletefile", f"{BACKUPS}/database/1.dump"),
        rclone("copyto", str(dump), f"{PICTURES}/outputs/2.png"),
    ):
        assert "403" in refused.stderr


def test_a_restore_reads_backups_and_adds_pictures_and_no_more(
    pod: Callable[[str], Run], account: aws.Account, tmp_path: Path
) -> None:
    for key in ("database/1.dump", "outputs/1.png"):
        account.s3.put_object(Bucket="backup-bucket-store", Key=key, Body=b"kept")
    account.s3.delete_object(Bucket="pictures-bucket-store", Key="outputs/1.png")
    rclone = pod("restore")
    assert rclone("lsf", f"{BACKUPS}/database/").stdout == "1.dump\n"
    got = tmp_path / "got"
    for done in (
        rclone("copyto", f"{BACKUPS}/database/1.dump", str(got)),
        rclone("copy", "--include", "/outputs/**", BACKUPS, PICTURES),
    ):
        assert done.returncode == 0, done.stderr
    assert got.read_bytes() == b"kept"
    account.s3.head_object(Bucket="pictures-bucket-store", Key="outputs/1.png")
    assert "403" in rclone("copyto", str(got), f"{BACKUPS}/database/2.dump").stderr
