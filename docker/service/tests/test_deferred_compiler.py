"""What a start must not import, and that it is all there once something compiles."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from worker import tiny_sdxl

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

LOADS_AND_DRAWS = """
import sys
from core.settings import Settings
from tasks.parameters import Parameters
from worker import loading
model = loading.load(Settings())
cat = Parameters(prompt="a cat", width=256, height=256, steps=2)
drawn = model.generate(cat, range(1), lambda _: None)[0].tobytes()
"""

NOT_IMPORTED = """
for name in ("torch._dynamo.eval_frame", "torch._inductor", "triton", "torch.distributed.tensor"):
    assert name not in sys.modules, name
"""

AS_IF_IT_HAD_BEEN_THERE = """
import torch
from diffusers.models.attention import BasicTransformerBlock
import torch._dynamo.config as config
assert config is torch._dynamo.config is sys.modules["torch._dynamo.config"]
assert torch._dynamo is sys.modules["torch._dynamo"]
from torch._dynamo import trace_rules
assert trace_rules.is_callable_allowed(BasicTransformerBlock), "diffusers marked it"
import worker.compiled
torch.compiler.set_stance(force_backend="eager")
model.compile()
pair = zip(model.generate(cat, range(1), lambda _: None)[0].tobytes(), drawn, strict=True)
assert max(abs(one - other) for one, other in pair) <= 1
"""


@pytest.mark.parametrize("then", [NOT_IMPORTED, AS_IF_IT_HAD_BEEN_THERE])
def test_a_worker_draws_without_the_compiler_and_compiles_when_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    tiny_sdxl.save(tmp_path / "tiny")
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    monkeypatch.setenv("MODEL_ID", "tiny")
    monkeypatch.setenv("COMPILED_SIZES", "256x256")
    subprocess.run([sys.executable, "-c", LOADS_AND_DRAWS + then], check=True)
