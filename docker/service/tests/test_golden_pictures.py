"""A seed draws the picture that it drew in the last release, by each way to ask."""

import json

import pytest

pytest.importorskip("torch")

from tests.golden_pictures import FILE, drawn, squares

pytestmark = pytest.mark.model

_ROUNDING = 6
"""Of 255: processors add in their own order."""


def test_the_pictures_are_those_that_are_kept() -> None:
    kept = json.loads(FILE.read_text())
    made = {name: squares(picture) for name, picture in drawn()}
    assert made.keys() == kept.keys()
    assert len({str(it) for it in kept.values()}) == len(kept), "each is another picture"
    for name, rows in made.items():
        one, other = (bytes.fromhex(" ".join(it)) for it in (rows, kept[name]))
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= _ROUNDING, name
