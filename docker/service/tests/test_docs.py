"""docs/api.md leaves out no route, field or problem."""

import re
from pathlib import Path

from api.application import create_app
from api.openai_images import ImagesRequest
from core.settings import Settings
from tasks.parameters import Parameters

SERVICE = Path(__file__).parents[1]
PAGE = (SERVICE.parents[1] / "docs/api.md").read_text()


def test_every_route_is_on_the_page() -> None:
    paths = {route.path for route in create_app(Settings()).state.routes}
    files = {path for path in paths if re.search(r"\.(js|css|svg)$", path)}
    for path in paths - files:
        told = re.sub(r"\{(task|input)_id\}|\{model_id:path\}", "{id}", path)
        assert f" {told}`" in PAGE or f"`{told}`" in PAGE, path


def test_every_field_is_on_the_page() -> None:
    for field in {*Parameters.model_fields, *ImagesRequest.model_fields}:
        assert f"`{field}`" in PAGE or f'"{field}"' in PAGE or f"{field}=" in PAGE, field


# /v1 alone, and what nobody is there to hear.
_UNTOLD = ("model-not-found", "unsupported-endpoint", "timeout", "client-left")


def test_every_problem_is_on_the_page() -> None:
    for file in (SERVICE / "api").rglob("*.py"):
        for code in re.findall(r'Problem\(\s*\d+,\s*"([\w-]+)"', file.read_text()):
            if code not in _UNTOLD:
                assert f"`{code}`" in PAGE, code
