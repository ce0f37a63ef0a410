"""Fetching the model, from a server of this test that breaks as networks do."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.settings import Settings
from worker import download

FILES = {"model_index.json": b"{}", "unet/weights.safetensors": bytes(range(256)) * 4096}
WEIGHTS = FILES["unet/weights.safetensors"]


class Hub(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files = dict(FILES)
        self.ranges = True
        self.cut_after: list[int] = []
        """Of the coming answers with weights, how many bytes until the connection breaks."""
        self.served: list[tuple[str, int]] = []
        """Each answer's file, and the byte at which it starts."""


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        name = self.path.removeprefix(f"/{download.SDXL}/resolve/{download.SDXL_REVISION}/")
        if name not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[name]
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if not self.server.ranges:
            start = 0
        elif start >= len(data):
            self.send_error(416)
            return
        self.server.served.append((name, start))
        self.send_response(206 if self.server.ranges else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cut = self.server.cut_after.pop(0) if data is WEIGHTS and self.server.cut_after else None
        self.wfile.write(data[start:] if cut is None else data[start : start + cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    manifest = tmp_path / "manifest"
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items()]
    manifest.write_text("".join(lines))
    monkeypatch.setattr(download, "SDXL_FILES", manifest)
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0)
    with Hub() as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()


@pytest.fixture
def settings(hub: Hub, tmp_path: Path) -> Settings:
    return Settings(hf_endpoint=hub.url, model_dir=tmp_path / "models", model_id=download.SDXL)


def found(settings: Settings) -> dict[str, bytes]:
    paths = [path for path in settings.model_path.rglob("*") if path.is_file()]
    return {str(path.relative_to(settings.model_path)): path.read_bytes() for path in paths}


def test_the_model_appears_whole_with_nothing_else(settings: Settings, hub: Hub) -> None:
    download.ensure(settings)
    assert found(settings) == FILES
    served = len(hub.served)
    download.ensure(settings)
    assert len(hub.served) == served


def test_goes_on_where_the_connection_broke(settings: Settings, hub: Hub) -> None:
    hub.cut_after = [300_000, 200_000]
    download.ensure(settings)
    assert found(settings) == FILES
    assert [start for name, start in hub.served if name != "model_index.json"] == [
        0,
        300_000,
        500_000,
    ]


def test_a_later_process_goes_on_where_one_died(settings: Settings, hub: Hub) -> None:
    hub.cut_after = [100_000] + [0] * 10
    with pytest.raises(SystemExit, match="the connection broke"):
        download.ensure(settings)
    assert not settings.model_path.exists()
    hub.cut_after, hub.served = [], []
    download.ensure(settings)
    assert found(settings) == FILES
    assert hub.served == [("unet/weights.safetensors", 100_000)]


def test_starts_anew_when_the_server_knows_no_ranges(settings: Settings, hub: Hub) -> None:
    hub.ranges = False
    hub.cut_after = [300_000]
    download.ensure(settings)
    assert found(settings) == FILES


def test_a_damaged_file_is_fetched_again_and_never_kept(settings: Settings, hub: Hub) -> None:
    hub.files["unet/weights.safetensors"] = b"damaged" + WEIGHTS[7:]
    with pytest.raises(SystemExit, match="does not have the SHA-256"):
        download.ensure(settings)
    assert not settings.model_path.exists()
    hub.files = dict(FILES)
    download.ensure(settings)
    assert found(settings) == FILES


def test_a_missing_file_is_named(settings: Settings, hub: Hub) -> None:
    del hub.files["model_index.json"]
    with pytest.raises(SystemExit, match=r"model_index\.json could not be fetched: .*404"):
        download.ensure(settings)


def test_many_pods_of_a_node_fetch_it_once(settings: Settings, hub: Hub) -> None:
    threads = [threading.Thread(target=download.ensure, args=[settings]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found(settings) == FILES
    assert len(hub.served) == len(FILES)


def test_the_program_refuses_a_model_that_it_does_not_know(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "download_models.py"],
        env=os.environ | {"MODEL_ID": "some/other", "MODEL_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 1
    assert "MODEL_ID must be" in done.stderr


def test_the_manifest_names_every_part_of_the_pipeline() -> None:
    lines = [line.split() for line in download.SDXL_FILES.read_text().splitlines()]
    assert all(len(bytes.fromhex(digest)) == 32 for digest, _ in lines)
    parts = {name.split("/")[0] for _, name in lines if "/" in name}
    assert parts == {
        *("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"),
        *("unet", "vae"),
    }
