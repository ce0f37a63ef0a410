"""docs/api.md leaves out no route, field or problem, and what it has is what the service serves."""

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import openai
import pytest

from api.application import create_app
from core.settings import Settings
from tests.hostile_pictures import photo, saved

SERVICE = Path(__file__).parents[1]
PAGE = (SERVICE.parents[1] / "docs/api.md").read_text()
SERVED: dict[str, Any] = create_app(Settings()).openapi()


def test_every_route_is_on_the_page() -> None:
    paths = {route.path for route in create_app(Settings()).state.routes}
    files = {path for path in paths if re.search(r"\.(js|css|svg)$", path)}
    for path in paths - files:
        told = re.sub(r"\{(task|input)_id\}|\{model_id:path\}", "{id}", path)
        assert f" {told}`" in PAGE or f"`{told}`" in PAGE, path


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, media type and schema of each body that can be sent."""
    for path, operations in SERVED["paths"].items():
        for operation in operations.values():
            for kind, it in operation.get("requestBody", {}).get("content", {}).items():
                yield path, kind, it["schema"]


def fields(schema: Any) -> Iterator[str]:
    """Of an object, and of those in it."""
    if isinstance(schema, list):
        for it in schema:
            yield from fields(it)
    elif isinstance(schema, dict):
        if reference := schema.get("$ref"):
            yield from fields(SERVED["components"]["schemas"][reference.rpartition("/")[2]])
        yield from schema.get("properties", {})
        for it in schema.values():
            yield from fields(it)


def validator(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for(schema | {"components": SERVED["components"]})


def test_every_field_of_every_body_is_on_the_page() -> None:
    named = {field for _, _, schema in bodies() for field in fields(schema)}
    assert {"prompt", "weight", "input_fidelity"} < named
    for field in named:
        assert f"`{field}`" in PAGE or f'"{field}"' in PAGE or f"{field}=" in PAGE, field


def test_the_defaults_on_the_page_are_those_of_the_service() -> None:
    begin, end = PAGE.index("| field | type |"), PAGE.index("A model of few steps")
    rows = [row.split(" | ") for row in PAGE[begin:end].splitlines() if row.startswith("| `")]
    said = {
        name: default.strip("`")
        for names, _, default, *_ in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    properties = SERVED["components"]["schemas"]["Parameters"]["properties"]
    assert said.keys() == properties.keys()
    for name, schema in properties.items():
        if "default" in schema:
            default = schema["default"]
            shown = default if isinstance(default, str) else f"{default:g}"
            assert said[name] == (shown or '""'), name


def test_the_examples_that_are_served_are_valid() -> None:
    checked = 0
    for name, schema in SERVED["components"]["schemas"].items():
        for example in schema.get("examples", []):
            it = validator({"$ref": f"#/components/schemas/{name}"})
            assert [str(error) for error in it.iter_errors(example)] == []
            checked += 1
    assert checked


_COMMANDS = """\
set -euo pipefail
npm() { echo '{"endpoint": "http://service", "apiKey": "key"}'; }
curl() {
  python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]), file=open("calls", "a"))' "$@"
  echo '{"id": "01900000-0000-7000-8000-000000000000", "events_url": "/events",
         "images": [{"width": 512, "height": 512}], "data": [{"loras": []}]}'
}
"""


@pytest.mark.skipif(
    shutil.which("jq") is None and "CI" not in os.environ, reason="the page's commands use jq"
)
def test_what_the_commands_send_is_valid(tmp_path: Path) -> None:
    commands = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    script = _COMMANDS + "\n".join(commands)
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    schemas = {path: schema for path, _, schema in bodies()}
    sent = set()
    for line in (tmp_path / "calls").read_text().splitlines():
        arguments = json.loads(line)
        (url,) = (it for it in arguments if it.startswith("http://service/"))
        path = url.removeprefix("http://service")
        options = list(itertools.pairwise(arguments))
        for body in (value for name, value in options if name == "-d"):
            errors = validator(schemas[path]).iter_errors(json.loads(body))
            assert [str(error) for error in errors] == [], body
            sent.add(path)
        named = {value.partition("=")[0] for name, value in options if name == "-F"}
        if named:
            assert named <= schemas[path]["properties"].keys()
            sent.add(path)
    assert sent == {"/api/generate", "/v1/images/edits"}


def test_what_openais_clients_send_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: dict[str, httpx.Request] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        sent[request.url.path] = request
        return httpx.Response(200, json={"created": 0, "data": []})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    real = openai.OpenAI
    monkeypatch.setattr(openai, "OpenAI", lambda **more: real(**more, http_client=http))
    monkeypatch.chdir(tmp_path)
    Path("first.png").write_bytes(saved(photo(), "PNG"))
    examples = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    programs = "\n".join(it for it in examples if "client.images" in it)
    exec(programs, {"ENDPOINT": "http://service", "KEY": "key"})

    schemas = {path: schema for path, _, schema in bodies()}
    body = json.loads(sent["/v1/images/generations"].content)
    errors = validator(schemas["/v1/images/generations"]).iter_errors(body)
    assert [str(error) for error in errors] == []
    form = sent["/v1/images/edits"].content
    named = {it.decode() for it in re.findall(rb'form-data; name="(\w+)', form)}
    assert {"image", "prompt"} < named
    assert named <= schemas["/v1/images/edits"]["properties"].keys()


def test_the_problem_on_the_page_is_one() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    it = validator({"$ref": "#/components/schemas/ProblemDocument"})
    assert [str(error) for error in it.iter_errors(json.loads(example))] == []


# /v1 alone, and what nobody is there to hear.
_UNTOLD = ("model-not-found", "unsupported-endpoint", "timeout", "client-left")


def test_every_problem_is_on_the_page() -> None:
    for file in (SERVICE / "api").rglob("*.py"):
        for code in re.findall(r'Problem\(\s*\d+,\s*"([\w-]+)"', file.read_text()):
            if code not in _UNTOLD:
                assert f"`{code}`" in PAGE, code
