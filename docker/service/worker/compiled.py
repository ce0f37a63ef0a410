"""What of a pipeline is compiled, and how: a file of its own, for the worker and its compiler."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
import torch._dynamo.config as dynamo
import torch._inductor.compile_fx as compile_fx
import torch._inductor.config as inductor
from torch import nn
from torch._inductor.choices import InductorChoices
from torch._inductor.runtime.hints import ReductionHint
from torch._inductor.virtualized import V

from worker import start
from worker.channels_last import GroupNorm
from worker.graphs import Graphs
from worker.model import Model
from worker.step_cache import StepCache
from worker.text_projections import TextProjections

Mode = Literal["regional", "whole"]

_REPEATED = {"BasicTransformerBlock", "ResnetBlock2D", "Upsample2D"}
"""diffusers' compile_repeated_blocks names the first for a UNet; its convolutions lie in the
others: https://huggingface.co/docs/diffusers/optimization/fp16#regional-compilation"""

_LONGEST_ROW = 8192
"""That one program holds in its registers: a transformer's have 5,120 numbers at most."""


class _Choices(InductorChoices):  # type: ignore[misc]
    """Rows are read once. The compiler would read those of more than 1,024 numbers twice, and
    compute twice what it needs of them: on an H100 float8's rows of 5,120 took 75 us, not 51."""

    def uuid(self) -> str:
        return f"rows of {_LONGEST_ROW}"

    @staticmethod
    def should_use_persistent_reduction(features: Any, cooperative_reduction: bool) -> bool:
        if features.get_reduction_hint() == ReductionHint.INNER and not cooperative_reduction:
            return bool(
                V.graph.sizevars.statically_known_leq(features.reduction_numel, _LONGEST_ROW)
            )
        usual: bool = InductorChoices.should_use_persistent_reduction(
            features, cooperative_reduction
        )
        return usual


class NotInCache(Exception):  # noqa: N818
    """A graph was to be compiled where only what was compiled before may be used."""


class Compiled:
    """A pipeline, each part of which is compiled and recorded when it is called next."""

    def __init__(self, pipeline: Any, step_cache: StepCache | None, mode: Mode) -> None:
        inductor.conv_1x1_as_mm = True
        inductor.inductor_choices_class = _Choices
        # To try several shapes of each takes the compiler a tenth of its time, and on an H100 the
        # first of them draw as fast (float16, docs/performance.md).
        inductor.triton.autotune_pointwise = False
        # Each takes half a gigabyte, and by default there is one for every core of the node.
        inductor.compile_threads = min(16, os.cpu_count() or 1)
        # One graph for each set of channels: 12 sorts of ResNet blocks for each size, where the
        # default gives up after 8.
        dynamo.recompile_limit = 256
        self._graphs = Graphs()
        self._texts = TextProjections(pipeline.unet, self._graphs.recorded)
        if mode == "regional":
            for part in (pipeline.unet, pipeline.vae.decoder):
                for module in _regions(part):
                    module.compile(fullgraph=True, dynamic=False)

        def recorded(call: Callable[..., Any]) -> Callable[..., Any]:
            if mode == "whole":
                call = torch.compile(call, fullgraph=True, dynamic=False)
            return self._graphs.recorded(call)

        if step_cache:
            step_cache.whole = recorded(step_cache.whole)
            step_cache.outermost = recorded(step_cache.outermost)
        else:
            pipeline.unet.forward = recorded(pipeline.unet.forward)
        pipeline.vae.decoder.forward = recorded(pipeline.vae.decoder.forward)
        # Started kernel by kernel, on an H100 they take 35 ms instead of 10.
        for encoder in (pipeline.text_encoder, pipeline.text_encoder_2):
            encoder.forward = self._graphs.recorded(encoder.forward)

    @contextmanager
    def used(self, *, negative: bool) -> Iterator[None]:
        """For a picture of a kind that was compiled; any other would wait for the compiler."""
        with self._graphs.used(negative), self._texts.kept():
            yield


def _regions(part: nn.Module) -> Iterator[nn.Module]:
    """The blocks that repeat, and what lies outside of them and would be slow."""
    if type(part).__name__ in _REPEATED or isinstance(part, GroupNorm):
        yield part
        return
    for child in part.children():
        yield from _regions(child)


def swap_in(model: Model, compiled: bytes) -> None:
    """The model draws by what a compiler made of it. In the inference thread, for seconds.

    @throws NotInCache, among others: it was made of another model; all is drawn as before
    """
    torch.compiler.load_cache_artifacts(compiled)
    with start.phase("swap_in"), _cache_only():
        model.compile()


@contextmanager
def _cache_only() -> Iterator[None]:
    """For the inference thread, whose tasks must not wait for a compiler: NotInCache instead."""
    compiler = compile_fx.fx_codegen_and_compile

    def refuse(*_args: object, **_options: object) -> Any:
        raise NotInCache("the compiled graphs are not those of this worker")

    compile_fx.fx_codegen_and_compile = refuse
    try:
        yield
    finally:
        compile_fx.fx_codegen_and_compile = compiler
