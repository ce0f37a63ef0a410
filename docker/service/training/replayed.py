"""A loss and its gradients as one CUDA graph: so small a model would wait for the host else."""

import logging
from collections.abc import Callable
from typing import Any

import torch

from training.averaged import Averaged

log = logging.getLogger(__name__)


class Replayed:
    def __init__(
        self,
        loss: Callable[[dict[str, torch.Tensor]], torch.Tensor],
        inputs: dict[str, torch.Tensor],
        averaged: Averaged,
    ) -> None:
        self._loss = loss
        self._inputs = {name: it.clone() for name, it in inputs.items()}
        self._averaged = averaged
        self._graph: Any = None
        self._gradients: list[Any] = []
        self._result = torch.zeros(())
        if next(iter(inputs.values())).is_cuda:
            try:
                self._capture()
            except Exception as error:  # slower, and the same
                log.warning("no CUDA graph: %r", error)
                torch.cuda.synchronize()

    def _capture(self) -> None:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._eager()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        self._forget()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._result = self._loss(self._inputs)
            self._result.backward()
        self._gradients = [it.grad for it in self._averaged.parameters]
        self._graph = graph

    def _forget(self) -> None:
        for parameter in self._averaged.parameters:
            parameter.grad = None

    def _eager(self) -> torch.Tensor:
        self._forget()
        loss = self._loss(self._inputs)
        loss.backward()
        return loss.detach()

    def __call__(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        for name, value in inputs.items():
            self._inputs[name].copy_(value)
        if self._graph is None:
            return self._eager()
        for parameter, gradient in zip(self._averaged.parameters, self._gradients, strict=True):
            parameter.grad = gradient
        self._graph.replay()
        return self._result.detach().clone()
