"""Fetching the model, from a server of the tests that breaks as networks do."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import LoraSource, Settings
from tests.hub import FILES, INDEX, OTHER, REPOSITORY, REVISION, WEIGHTS, Hub
from worker import download
from worker import hub as client
from worker.bucket import SUMS


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
    with pytest.raises(SystemExit, match="does not have the hash"):
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


def test_the_program_refuses_a_model_without_a_revision(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "download_models.py"],
        env=os.environ | {"MODEL_ID": OTHER, "MODEL_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 1
    assert f"MODEL_REVISION must be the commit of {OTHER}" in done.stderr


@pytest.fixture
def other(settings: Settings, hub: Hub) -> Settings:
    """Of a repository that the service does not know, as people publish them."""
    hub.files = dict(REPOSITORY)
    return settings.model_copy(update={"model_id": OTHER, "model_revision": REVISION})


def test_any_repository_of_sdxl_is_fetched_for_what_is_loaded_of_it(
    other: Settings, hub: Hub
) -> None:
    download.ensure(other)
    loaded = {name: data for name, data in REPOSITORY.items() if data in (b"loaded", INDEX)}
    files = found(other)
    sums = files.pop(SUMS).decode().splitlines()
    assert files == loaded
    assert dict(reversed(line.split("  ")) for line in sums) == {
        name: hashlib.sha256(data).hexdigest() for name, data in loaded.items()
    }


def test_half_precision_is_taken_where_the_unet_has_it(other: Settings, hub: Hub) -> None:
    half = {
        "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors": b"half",
        "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors": b"half",
        "unet/diffusion_pytorch_model.safetensors.index.fp16.json": b"half",
        "text_encoder/model.fp16.safetensors": b"half",
    }
    hub.files |= half
    download.ensure(other)
    files = found(other)
    assert files.items() >= half.items()
    assert "text_encoder/model.safetensors" not in files
    assert "unet/diffusion_pytorch_model.safetensors" not in files
    assert files["vae/diffusion_pytorch_model.safetensors"] == b"loaded"


def test_another_revision_is_another_model(other: Settings) -> None:
    download.ensure(other)
    later = Settings(model_dir=other.model_dir, model_id=OTHER, model_revision="c" * 40)
    assert not later.model_path.exists()


@pytest.mark.parametrize("name", ["unet/config.json", "unet/diffusion_pytorch_model.safetensors"])
def test_a_file_that_is_not_the_listed_one_is_never_kept(
    other: Settings, hub: Hub, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = client.Hub(other, OTHER, REVISION).listed()
    monkeypatch.setattr(client.Hub, "listed", lambda _: listed)
    hub.files[name] = b"another"
    with pytest.raises(SystemExit, match="does not have the hash"):
        download.ensure(other)
    assert not other.model_path.exists()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "is no diffusers repository"),
        ({"model_index.json": b'{"_class_name": "FluxPipeline"}'}, "names FluxPipeline, not"),
        ({"model_index.json": INDEX}, "has no weights of text_encoder as safetensors"),
    ],
)
def test_what_is_no_sdxl_is_refused_before_its_weights_are_fetched(
    other: Settings, hub: Hub, files: dict[str, bytes], message: str
) -> None:
    hub.files = files | {"unet/diffusion_pytorch_model.bin": b"a pickle"}
    with pytest.raises(SystemExit, match=message):
        download.ensure(other)
    assert [name for name, _ in hub.served] == [*files]


def test_an_unknown_revision_is_named(other: Settings) -> None:
    unknown = other.model_copy(update={"model_id": "nobody/nothing"})
    with pytest.raises(SystemExit, match=f"nobody/nothing at {REVISION} could not be listed.*404"):
        download.ensure(unknown)


LORA = LoraSource(
    name="hers",
    repository=OTHER,
    revision=REVISION,
    file="folder/her.safetensors",
    sha256=hashlib.sha256(b"a LoRA").hexdigest(),
)


@pytest.fixture
def with_lora(other: Settings, hub: Hub) -> Settings:
    hub.files |= {LORA.file: b"a LoRA"}
    return other.model_copy(update={"loras": (LORA,)})


def loras_of(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in settings.lora_dir.iterdir()}


def test_a_lora_is_kept_by_its_name(with_lora: Settings, hub: Hub) -> None:
    download.fetch_loras(with_lora)
    assert loras_of(with_lora) == {"hers.safetensors": b"a LoRA"}
    served = len(hub.served)
    download.fetch_loras(with_lora)
    assert len(hub.served) == served


def test_a_lora_of_another_hash_is_never_kept(with_lora: Settings, hub: Hub) -> None:
    hub.files |= {LORA.file: b"another"}
    with pytest.raises(SystemExit, match=r"her\.safetensors does not have the hash"):
        download.fetch_loras(with_lora)
    assert loras_of(with_lora) == {}


def test_a_lora_that_has_another_hash_now_is_fetched_anew(with_lora: Settings, hub: Hub) -> None:
    download.fetch_loras(with_lora)
    hub.files |= {LORA.file: b"another"}
    later = LORA.model_copy(update={"sha256": hashlib.sha256(b"another").hexdigest()})
    download.fetch_loras(with_lora.model_copy(update={"loras": (later,)}))
    assert loras_of(with_lora) == {"hers.safetensors": b"another"}


def test_a_lora_that_is_listed_no_more_goes(with_lora: Settings) -> None:
    download.fetch_loras(with_lora)
    download.fetch_loras(with_lora.model_copy(update={"loras": ()}))
    assert loras_of(with_lora) == {}


def test_the_manifest_names_every_part_of_the_pipeline() -> None:
    lines = [line.split() for line in download.SDXL_FILES.read_text().splitlines()]
    assert all(len(bytes.fromhex(digest)) == 32 for digest, _ in lines)
    parts = {name.split("/")[0] for _, name in lines if "/" in name}
    assert parts == {
        *("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"),
        *("unet", "vae"),
    }
