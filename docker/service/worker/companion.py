"""The small models that stand beside the one that draws."""

from pathlib import Path
from typing import Any

import torch


def load(kind: Any, path: Path, device: str, dtype: torch.dtype) -> Any:
    """A model of transformers. @throws OSError, ValueError: the files are none of it"""
    model, loaded = kind.from_pretrained(
        path, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    # transformers would leave those at random.
    if absent := [*loaded["missing_keys"], *loaded["mismatched_keys"]]:
        raise ValueError(f"its weights lack {absent[0]} of a {kind.__name__}")
    return model.to(device).eval()
