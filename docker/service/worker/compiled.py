"""What of a pipeline is compiled, and how: a file of its own, for the worker and its compiler."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import torch
import torch._dynamo.config as dynamo
import torch._inductor.compile_fx as compile_fx
import torch._inductor.config as inductor
from torch import nn

from worker import start
from worker.model import Model

Mode = Literal["regional", "whole"]

_REPEATED = {"BasicTransformerBlock", "ResnetBlock2D"}
"""diffusers' compile_repeated_blocks names the former for a UNet; its convolutions lie in the
latter: https://huggingface.co/docs/diffusers/optimization/fp16#regional-compilation"""


class Compilable(Protocol):
    def compile(self, **options: Any) -> None: ...


class NotInCache(Exception):  # noqa: N818
    """A graph was to be compiled where only what was compiled before may be used."""


def prepare(unet: nn.Module, whole_unet: Compilable, decoder: nn.Module, mode: Mode) -> None:
    """Each part is compiled when it is called next.

    @param whole_unet: what calls the UNet's parts: itself, or its step cache
    """
    inductor.conv_1x1_as_mm = True
    # Each takes half a gigabyte, and by default there is one for every core of the node.
    inductor.compile_threads = min(8, os.cpu_count() or 1)
    # One graph for each set of channels: 12 sorts of ResNet blocks for each size, where the default
    # gives up after 8.
    dynamo.recompile_limit = 256
    if mode == "whole":
        # CUDA graphs, which the CPU goes without. No autotuning: it took longer than 7 minutes.
        for part in (whole_unet, decoder):
            part.compile(mode="reduce-overhead", fullgraph=True, dynamic=False)
        return
    for module in [*unet.modules(), *decoder.modules()]:
        if type(module).__name__ in _REPEATED:
            module.compile(fullgraph=True, dynamic=False)


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
