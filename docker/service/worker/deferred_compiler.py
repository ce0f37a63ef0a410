"""A worker without torch's compiler, which is half of what it would import.

diffusers, transformers and torch itself import torch._dynamo, and with it torch._inductor, Triton
and SymPy, to mark functions for it and to ask whether a model is compiled. Most workers never
compile, and the others once they draw. So they find a stand-in, which keeps the marks until
`compiler`, or whoever wants more of it, gets the real one.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
import torch.distributed

_NAME = "torch._dynamo"
_MASKS = f"{_NAME}._trace_wrapped_higher_order_op"


def defer() -> None:
    """Before diffusers or transformers is imported; where torch._dynamo is, it stays."""
    if _NAME in sys.modules:
        return
    sys.modules[_NAME] = torch._dynamo = _Dynamo(_NAME)
    sys.modules[_MASKS] = _Masks(_MASKS)
    sys.meta_path.insert(0, _Parts())
    # transformers imports a part of both for work that many processes share. It remembers what it
    # is told here.
    available = torch.distributed.is_available
    torch.distributed.is_available = lambda: False
    try:
        import_module("transformers.utils.import_utils").is_torch_distributed_available()
    finally:
        torch.distributed.is_available = available


def compiler() -> ModuleType:
    """torch._dynamo, told all that it was not there to hear."""
    stand_in = sys.modules.get(_NAME)
    if not isinstance(stand_in, _Dynamo):
        return import_module(_NAME)
    del sys.modules[_NAME], sys.modules[_MASKS]
    # Until it is there, who draws meanwhile goes on to ask the stand-in, by torch's attribute.
    dynamo = import_module(_NAME)
    for mark, what in stand_in.marked:
        getattr(dynamo, mark)(what)
    for function in stand_in.disabled:
        # Torch keeps what it was given, and asks again: torch/_compile.py.
        vars(function).pop("__dynamo_disable", None)
    return dynamo


class _Dynamo(ModuleType):
    __path__: list[str] = []  # noqa: RUF012

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.marked: list[tuple[str, Any]] = []
        self.disabled: list[Any] = []
        # No module is compiled.
        self.eval_frame = SimpleNamespace(OptimizedModule=type("OptimizedModule", (), {}))

    def allow_in_graph(self, what: Any) -> Any:
        self.marked.append(("allow_in_graph", what))
        return what

    def assume_constant_result(self, what: Any) -> Any:
        self.marked.append(("assume_constant_result", what))
        return what

    def disable(self, function: Callable[..., Any] | None, *args: Any, **options: Any) -> Any:
        """Of no matter before there is a compiler."""
        if function is None:
            return lambda it: self.disable(it, *args, **options)
        self.disabled.append(function)

        def call(*given: Any, **named: Any) -> Any:
            if sys.modules.get(_NAME) is self:
                return function(*given, **named)
            return compiler().disable(function, *args, **options)(*given, **named)

        return call

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(compiler(), name)


class _Parts(MetaPathFinder):
    """Of torch._dynamo: who imports one gets the real one."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if not name.startswith(f"{_NAME}.") or not isinstance(sys.modules.get(_NAME), _Dynamo):
            return None
        path = compiler().__path__
        # Or it would be loaded twice: https://github.com/python/cpython/blob/v3.11.2/Lib/importlib/_bootstrap.py#L1089
        loaded = sys.modules.pop(name, None)
        return ModuleSpec(name, _Loaded(loaded)) if loaded else PathFinder.find_spec(name, path)


class _Loaded(Loader):
    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, _: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Masks(ModuleType):
    """Of torch's flexible attention, which CLIP has none of."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # Not before it is called.
        return lambda *args: getattr(  # noqa: PLW0108
            compiler()._trace_wrapped_higher_order_op, name
        )(*args)
