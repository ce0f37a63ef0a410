"""Pods that have no keys: a role of AWS is theirs, and lets them do what they do and no more."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from obstore.exceptions import BaseError, PermissionDeniedError

from core.settings import Settings
from tasks.images import ImageStore
from tasks.inputs import InputStore
from tasks.parameters import Parameters
from tasks.store import Claim
from tasks.task import StoredImage
from tests import aws

TASK = uuid4()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[aws.Account]:
    with aws.account(tmp_path_factory.mktemp("aws")) as account:
        yield account


Pod = Callable[[str], tuple[ImageStore, aws.Giver]]


@pytest.fixture(params=aws.WAYS)
def pod(
    request: pytest.FixtureRequest,
    account: aws.Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pod]:
    """Pictures as a pod with a role sees them."""
    with ExitStack() as stack:

        def run(role: str) -> tuple[ImageStore, aws.Giver]:
            directory = tmp_path / role
            directory.mkdir(exist_ok=True)
            way = aws.WAYS[request.param]
            giver, environment = stack.enter_context(way(account, role, directory))
            aws.take_on(environment, monkeypatch)
            settings = Settings(
                s3_bucket="pictures-bucket-store",
                s3_endpoint_url=account.endpoint,
                aws_region=aws.REGION,
            )
            return ImageStore(settings), giver

        yield run


async def draw(pictures: ImageStore) -> StoredImage:
    return await pictures.put(b"a picture", Parameters(prompt="a lighthouse"), Claim(TASK, 1), 0)


async def test_a_worker_writes_pictures_and_reads_and_deletes_none(pod: Pod) -> None:
    pictures, _ = pod("aigc-worker")
    image = await draw(pictures)
    with pytest.raises(PermissionDeniedError):
        await pictures.size(image)
    with pytest.raises(BaseError, match="AccessDenied"):
        await pictures.delete(TASK)


async def test_the_api_reads_and_deletes_pictures_and_writes_none(pod: Pod) -> None:
    image = await draw(pod("aigc-worker")[0])
    pictures, _ = pod("api")
    size = await pictures.size(image)
    assert [piece async for piece in pictures.pieces(image, size)] == [b"a picture"]
    with pytest.raises(PermissionDeniedError):
        await draw(pictures)
    await pictures.delete(TASK)
    # And not PermissionDeniedError: a picture that is gone is answered with 410.
    with pytest.raises(FileNotFoundError):
        await pictures.size(image)


async def test_a_worker_reads_what_the_api_was_sent_and_adds_nothing_to_it(
    pod: Pod, account: aws.Account
) -> None:
    settings = Settings(
        s3_bucket="pictures-bucket-store",
        s3_endpoint_url=account.endpoint,
        aws_region=aws.REGION,
    )
    pod("api")
    sent = await InputStore(settings).put(b"a picture", key_id=1)
    pod("aigc-worker")
    assert await InputStore(settings).get(sent, key_id=1) == b"a picture"
    with pytest.raises(PermissionDeniedError):
        await InputStore(settings).put(b"another", key_id=1)


async def test_a_link_that_a_role_signs_carries_its_session(pod: Pod) -> None:
    image = await draw(pod("aigc-worker")[0])
    pictures, _ = pod("api")
    link = urlsplit(await pictures.presigned_url(image, timedelta(minutes=5)))
    # S3 knows temporary keys only with it:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    assert "X-Amz-Security-Token" in parse_qs(link.query)


async def test_a_role_is_taken_on_once_and_again_before_it_ends(pod: Pod) -> None:
    pictures, giver = pod("aigc-worker")
    for _ in range(3):
        await draw(pictures)
    assert giver.asked == 1
    pictures, giver = pod("aigc-worker")
    giver.lives = timedelta(minutes=4)
    while giver.asked < 2:
        await draw(pictures)


async def test_empty_keys_are_keys_to_the_client_and_hide_the_role(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So what declares pods has to leave them out."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    pictures, giver = pod("aigc-worker")
    with pytest.raises(BaseError):
        await draw(pictures)
    assert giver.asked == 0
