"""What OpenAI's clients ask for when they have a picture: openai.types.ImageEditParams.

They send a form, in which all is text but the files.
"""

import json
import re
from typing import Any, ClassVar, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError, field_validator
from starlette.datastructures import FormData, UploadFile

from api.openai_images import ImagesRequest
from core.settings import Settings
from tasks.parameters import Parameters, Strength

_FIDELITY = {"high": 0.5, "low": 0.9}
"""The strength of each: how little, or how much, of the picture is lost."""

_FILES = {"image": "image", "image[]": "image", "mask": "mask"}
"""The fields with files, by the names that clients give them; a client that has a list of pictures
appends []."""


_LORA = re.compile(r"loras\[\]\[(name|weight)\]")
"""How the clients name the parts of a list of objects; the Python one sends all names first."""


class EditsRequest(ImagesRequest):
    events: ClassVar = "image_edit"

    input_fidelity: Literal["high", "low"] | None = None
    strength: Strength | None = None
    markup: None = None

    @field_validator("loras", mode="before")
    @classmethod
    def _read(cls, loras: Any) -> Any:
        """As JSON, from who writes the form by hand."""
        try:
            return json.loads(loras) if isinstance(loras, str) else loras
        except ValueError:
            raise ValueError("it has to be a list as JSON") from None

    def parameters(self, settings: Settings) -> Parameters:
        strength = self.strength or _FIDELITY.get(self.input_fidelity or "")
        return super().parameters(settings).model_copy(update={"strength": strength})


async def read_form(form: FormData) -> tuple[EditsRequest, dict[str, bytes]]:
    """What is asked for, and the files by their fields. @throws RequestValidationError"""
    files: dict[str, bytes] = {}
    words: dict[str, Any] = {}
    loras: dict[str, list[str]] = {"name": [], "weight": []}
    faults = []
    for name, value in form.multi_items():
        field = _FILES.get(name, name)
        if field in files or field in words:
            faults.append(_fault("too_many", field, "There can be one alone"))
        elif isinstance(value, UploadFile) and name in _FILES:
            files[field] = await value.read()
        elif isinstance(value, UploadFile) or name in _FILES:
            kind = "file" if name in _FILES else "text"
            faults.append(_fault(f"{kind}_type", field, f"It has to be a {kind}"))
        elif part := _LORA.fullmatch(name):
            loras[part[1]].append(value)
        elif value:  # an empty one is how a form says null
            words[field] = value
    names, weights = loras.values()
    if weights and len(weights) != len(names):
        faults.append(_fault("missing", "loras", "Each has a weight, or none has"))
    elif names:
        pairs = zip(names, weights or ["1"] * len(names), strict=True)
        words["loras"] = [{"name": name, "weight": weight} for name, weight in pairs]
    if "image" not in files and not faults:
        faults.append(_fault("missing", "image", "Field required"))
    if faults:
        raise RequestValidationError(faults)
    try:
        return EditsRequest.model_validate(words, strict=False), files
    except ValidationError as error:
        located = [fault | {"loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(located) from None


def _fault(kind: str, field: str, message: str) -> dict[str, object]:
    return {"type": kind, "loc": ("body", field), "msg": message}
