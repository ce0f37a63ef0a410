"""Brings the configured model to life."""

from core.settings import Settings
from worker.driver import check_driver
from worker.model import Model


def load(settings: Settings) -> Model:
    """Loads and warms up. Slow; runs in the inference thread."""
    if settings.model_id.split("/")[0] == "noop":
        from worker.noop import NoopModel

        return NoopModel()
    import torch

    check_driver(torch.version.cuda)
    from worker import sdxl, start

    start.imports_done()
    sdxl.keep_compiled(settings.model_dir)
    # The image has no compiler for the CPU, and there it would not pay.
    sizes = settings.compiled_sizes if torch.cuda.is_available() else ()
    return sdxl.SdxlModel(
        settings.model_path,
        sizes,
        fp8=settings.precision == "fp8",
        step_cache=settings.step_cache,
        prompt_weights=settings.prompt_weights,
    )
