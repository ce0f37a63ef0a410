"""CUDA graphs: all kernels of a call, recorded once, are started together at each later one.

By hand rather than by torch.compile's "reduce-overhead", which records one for each compiled
region: the UNet's are hundreds, and what lies between them would be left out.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree


@dataclass(frozen=True)
class _Recording:
    graph: torch.cuda.CUDAGraph
    inputs: list[torch.Tensor]
    output: Any

    def replay(self, tensors: list[torch.Tensor]) -> Any:
        for kept, given in zip(self.inputs, tensors, strict=True):
            kept.copy_(given)
        self.graph.replay()
        # The next replay writes to the same memory.
        return pytree.tree_map_only(torch.Tensor, torch.clone, self.output)


class Graphs:
    """Those of one model. They share their memory, since never two of them run at once."""

    def __init__(self) -> None:
        self._used: object = None
        self._gpu = torch.cuda.is_available()
        self._pool = torch.cuda.graph_pool_handle() if self._gpu else None

    def recorded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """@param call: whose work depends on the shapes of its tensors and on what `used` is told
        alone, and which reads whatever else it reads from the same memory each time. Outside of
        `used`, and on a CPU, which has no graphs, it is only called."""
        recordings: dict[object, _Recording] = {}

        def replayed(*args: Any, **options: Any) -> Any:
            if self._used is None or not self._gpu:
                return call(*args, **options)
            leaves, structure = pytree.tree_flatten((args, options))
            tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
            key = self._used, *map(_kind, leaves)
            if key not in recordings:
                recordings[key] = self._record(call, leaves, structure)
            return recordings[key].replay(tensors)

        return replayed

    @contextmanager
    def used(self, work: object) -> Iterator[None]:
        """@param work: whatever it depends on besides shapes; hashable, not None"""
        self._used = work
        try:
            yield
        finally:
            self._used = None

    def _record(self, call: Callable[..., Any], leaves: list[Any], structure: Any) -> _Recording:
        kept = [leaf.clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        args, options = pytree.tree_unflatten(kept, structure)
        # What compiles, allocates or chooses a kernel at a first call is done before.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            call(*args, **options)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            output = call(*args, **options)
        return _Recording(graph, [it for it in kept if isinstance(it, torch.Tensor)], output)


def _kind(leaf: object) -> object:
    return (leaf.shape, leaf.dtype) if isinstance(leaf, torch.Tensor) else leaf
