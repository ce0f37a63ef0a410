"""Puts the model into $MODEL_DIR/$MODEL_ID, whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from tasks.settings import Settings


def main() -> None:
    settings = Settings()
    target = settings.model_path
    if target.exists():
        print(f"{target} is there.")  # noqa: T201
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        _fetch(settings.model_id, partial)
        partial.chmod(0o755)
        try:
            partial.rename(target)
        except OSError:
            if not target.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    print(f"{target} is ready.")  # noqa: T201


def _fetch(model_id: str, path: Path) -> None:
    from worker import tiny_sdxl

    if model_id == tiny_sdxl.MODEL_ID:
        tiny_sdxl.save(path)
        return
    os.environ.pop("HF_HUB_OFFLINE", None)
    from huggingface_hub import snapshot_download

    snapshot_download(
        model_id,
        local_dir=path,
        allow_patterns=["*.json", "*.txt", "*/*.fp16.safetensors"],
    )


if __name__ == "__main__":
    main()
