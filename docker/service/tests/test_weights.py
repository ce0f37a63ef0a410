"""Weights that not everybody may fetch: from a gated repository, and from a bucket."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests import aws
from tests.hub import OTHER, REPOSITORY, REVISION, Handler, Hub
from tests.test_download import LORA
from worker import bucket, download

TOKEN = "hf_token"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        hub.files = dict(REPOSITORY)
        Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()


def settings_of(hub: str, directory: Path, token: str = "") -> Settings:
    return Settings(
        hf_endpoint=hub,
        hf_token=SecretStr(token),
        model_dir=directory / "models",
        model_id=OTHER,
        model_revision=REVISION,
        aws_region=aws.REGION,
    )


def fetched(settings: Settings) -> dict[str, bytes]:
    download.ensure(settings)
    paths = [path for path in settings.model_path.rglob("*") if path.is_file()]
    return {str(path.relative_to(settings.model_path)): path.read_bytes() for path in paths}


class _Gated(BaseHTTPRequestHandler):
    """Before a hub: lets nobody in without the token, and sends everybody on, as the real one does:
    to another address of its own, and for large files to another host."""

    server: "_Gate"

    def do_GET(self) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.send_error(401)
        elif "/tree/" in self.path:
            self.send_response(302)
            self.send_header("Location", f"{self.server.files.url}{self.path}")
            self.end_headers()
        elif self.path.startswith("/here"):
            self.send_response(302)
            self.send_header("Location", f"{self.server.files.url}{self.path[5:]}")
            self.end_headers()
        else:
            self.send_response(307)
            self.send_header("Location", f"/here{self.path}")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Gate(ThreadingHTTPServer):
    def __init__(self, files: Hub) -> None:
        super().__init__(("127.0.0.1", 0), _Gated)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files = files


@pytest.fixture
def gate(hub: Hub) -> Iterator[_Gate]:
    with _Gate(hub) as gate:
        Thread(target=gate.serve_forever, daemon=True).start()
        yield gate
        gate.shutdown()


def test_a_gated_repository_opens_for_the_token(gate: _Gate, hub: Hub, tmp_path: Path) -> None:
    open_to_all = fetched(settings_of(hub.url, tmp_path / "open"))
    assert fetched(settings_of(gate.url, tmp_path / "gated", TOKEN)) == open_to_all


def test_without_the_token_it_is_named(gate: _Gate, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"{OTHER} at {REVISION} could not be listed.*401"):
        download.ensure(settings_of(gate.url, tmp_path))


def test_the_token_goes_to_the_hub_and_to_no_host_that_it_sends_to(
    gate: _Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    answer = Handler.do_GET

    def look(handler: Handler) -> None:
        seen.append(handler.headers["Authorization"])
        answer(handler)

    monkeypatch.setattr(Handler, "do_GET", look)
    download.ensure(settings_of(gate.url, tmp_path, TOKEN))
    assert set(seen) == {None}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[aws.Account]:
    with aws.account(tmp_path_factory.mktemp("aws")) as account:
        yield account


FOLDER = f"models/{OTHER}@{REVISION}"


@pytest.fixture(params=aws.WAYS)
def weights(
    request: pytest.FixtureRequest,
    account: aws.Account,
    hub: Hub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[dict[str, bytes]]:
    """In the bucket, as a backup copies a volume there; this process is the pod that reads it."""
    files = fetched(settings_of(hub.url, tmp_path / "first"))
    for name, data in files.items():
        account.s3.put_object(Bucket="weights-example-com", Key=f"{FOLDER}/{name}", Body=data)
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.endpoint)
    with aws.WAYS[request.param](account, "models", tmp_path) as (_, environment):
        aws.take_on(environment, monkeypatch)
        yield files


BUCKET = "s3://weights-example-com/models"


def bucket_of(tmp_path: Path) -> bucket.Bucket:
    settings = settings_of(BUCKET, tmp_path)
    return bucket.Bucket(settings, settings.model_path)


def test_a_volume_that_was_copied_to_a_bucket_serves_the_next_one(
    weights: dict[str, bytes], tmp_path: Path
) -> None:
    assert fetched(settings_of(BUCKET, tmp_path)) == weights


def test_goes_on_with_what_is_there_of_a_file(
    weights: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "_PIECE", 2)
    name = "unet/diffusion_pytorch_model.safetensors"
    part = tmp_path / "part"
    part.write_bytes(b"LOA")
    bucket_of(tmp_path).fetch(name, part)
    assert part.read_bytes() == b"LOA" + weights[name][3:]
    bucket_of(tmp_path).fetch(name, part)
    assert part.stat().st_size == len(weights[name])


def test_a_file_that_is_not_of_its_sum_is_never_kept(
    weights: dict[str, bytes], account: aws.Account, tmp_path: Path
) -> None:
    key = f"{FOLDER}/vae/config.json"
    account.s3.put_object(Bucket="weights-example-com", Key=key, Body=b"another")
    settings = settings_of(BUCKET, tmp_path)
    with pytest.raises(SystemExit, match="does not have the hash"):
        download.ensure(settings)
    assert not settings.model_path.exists()


def test_a_lora_comes_from_the_bucket_too(
    weights: dict[str, bytes], account: aws.Account, tmp_path: Path
) -> None:
    key = "models/loras/hers.safetensors"
    account.s3.put_object(Bucket="weights-example-com", Key=key, Body=b"a LoRA")
    settings = settings_of(BUCKET, tmp_path).model_copy(update={"loras": (LORA,)})
    download.fetch_loras(settings)
    assert (settings.lora_dir / "hers.safetensors").read_bytes() == b"a LoRA"


def test_a_missing_list_of_sums_is_named(weights: dict[str, bytes], tmp_path: Path) -> None:
    nowhere = settings_of("s3://weights-example-com/elsewhere", tmp_path)
    with pytest.raises(SystemExit, match=r"could not be listed: s3://.*/SHA256SUMS"):
        download.ensure(nowhere)


def test_sums_as_sha256sum_writes_them_are_read(
    weights: dict[str, bytes], account: aws.Account, tmp_path: Path
) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    text = f"{digest}  ./unet/config.json\n{digest} *vae/config.json\n".encode()
    key = f"{FOLDER}/{bucket.SUMS}"
    account.s3.put_object(Bucket="weights-example-com", Key=key, Body=text)
    listed = bucket_of(tmp_path).listed()
    assert listed == {"unet/config.json": digest, "vae/config.json": digest}
