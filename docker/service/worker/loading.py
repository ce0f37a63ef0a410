"""Brings the configured model to life."""

from pathlib import Path

from core.settings import Companion, Settings
from worker.driver import check_driver
from worker.model import Model


def _is_noop(settings: Settings) -> bool:
    return settings.model_id.split("/")[0] == "noop"


_GPUS = [Path("/dev/nvidiactl"), Path("/dev/dxg")]
"""Of a container that has one, on Linux and on Windows' Linux."""


def may_compile(settings: Settings) -> bool:
    """What `compiles` will say, as far as it can be told without torch's slow import."""
    wanted = not _is_noop(settings) and settings.compile != "off" and settings.compiled_sizes
    return bool(wanted) and any(device.exists() for device in _GPUS)


def compiles() -> bool:
    """Whether the model is compiled where it is loaded now."""
    import torch

    # The image has no compiler for the CPU, and there it would not pay.
    return bool(torch.cuda.is_available())


def load(settings: Settings) -> Model:
    """Loads and warms up, uncompiled. Slow; runs in the inference thread."""
    if _is_noop(settings):
        from worker.noop import NoopModel

        return NoopModel(enlarges=settings.upscaler is not None)
    import torch

    check_driver(torch.version.cuda)
    from worker import sdxl, start

    start.imports_done()
    return sdxl.SdxlModel(
        settings.model_path,
        settings.compiled_sizes,
        loras=settings.lora_dir,
        compile_mode="whole" if settings.compile == "whole" else "regional",
        fp8=settings.precision == "fp8",
        step_cache=settings.step_cache,
        prompt_weights=settings.prompt_weights,
        safety_checker=_path(settings, settings.safety_checker),
        upscaler=_path(settings, settings.upscaler),
    )


def _path(settings: Settings, companion: Companion | None) -> Path | None:
    return settings.model_dir / companion.folder if companion else None
