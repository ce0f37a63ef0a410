"""Schedulers by name, on the real diffusers code and a tiny model."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tasks.parameters import LCM_STEPS, Parameters, Scheduler  # noqa: E402
from tests.hostile_pictures import photo  # noqa: E402
from tests.test_sdxl import A_CAT, compiled, difference, draw, model, path  # noqa: E402, F401
from worker.inputs import NO_INPUTS, Inputs  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

EACH = pytest.mark.parametrize("name", Scheduler)


def by(name: Scheduler, **more: Any) -> Parameters:
    return A_CAT.model_copy(update={"scheduler": name, "steps": 6} | more)


def test_each_draws_another_picture_and_the_models_own_is_euler(model: SdxlModel) -> None:
    pictures = {name: draw(model, by(name)) for name in Scheduler}
    for one, other in combinations(Scheduler, 2):
        assert difference(pictures[one], pictures[other]) > 0, (one, other)
    own = draw(model, A_CAT.model_copy(update={"steps": 6}))
    assert difference(own, pictures[Scheduler.EULER]) == 0


@EACH
def test_the_same_seed_draws_the_same_picture_whatever_was_drawn_before(
    model: SdxlModel, name: Scheduler
) -> None:
    first = draw(model, by(name))
    draw(model, by(name, steps=9, seed=8))
    assert difference(first, draw(model, by(name))) == 0
    assert difference(first, draw(model, by(name, seed=8))) > 0


@EACH
def test_a_picture_is_the_same_drawn_alone_or_with_others(
    model: SdxlModel, name: Scheduler
) -> None:
    for n, picture in enumerate(model.generate(by(name), range(2), lambda _: None)):
        assert difference(picture, draw(model, by(name), n)) <= 1


@EACH
@pytest.mark.parametrize("steps", [1, 2, LCM_STEPS])
@pytest.mark.parametrize("strength", [None, 0.3])
def test_each_takes_any_number_of_steps_and_tells_each(
    model: SdxlModel, name: Scheduler, steps: int, strength: float | None
) -> None:
    parameters = by(name, steps=steps, guidance_scale=1.0)
    inputs = NO_INPUTS
    if strength is not None:
        parameters = parameters.model_copy(update={"image": "an id", "strength": strength})
        inputs = Inputs(photo((256, 256)))
    told: list[int] = []
    (picture,) = model.generate(parameters, range(1), told.append, inputs=inputs)
    assert told == list(range(1, parameters.drawn_steps + 1))
    assert len(picture.getcolors(256 * 256) or []) > 100, "no black square"


@EACH
def test_nothing_is_compiled_for_it(path: Path, compiled: list[Any], name: Scheduler) -> None:
    ready = SdxlModel(path, [(256, 256)])
    at_start = len(compiled)
    draw(ready, by(name))
    assert len(compiled) == at_start
