"""What looks at the pictures of the tiny model, and what enlarges them: the real classes."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

torch = pytest.importorskip("torch")

from core.settings import Companion, Settings  # noqa: E402
from tasks.parameters import Parameters  # noqa: E402
from tests import companions  # noqa: E402
from tests.hub import OTHER, REVISION, Hub  # noqa: E402
from tests.test_download import hub  # noqa: E402, F401
from tests.test_sdxl import draw, model, path  # noqa: E402, F401
from worker import download, loading  # noqa: E402
from worker.model import FLAGGED, PROMPT_TOKENS, UpscalerMissing  # noqa: E402
from worker.safety import SafetyChecker  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

SMALL: dict[str, Any] = {"width": 256, "height": 256, "steps": 4, "seed": 3}
RED = Parameters(prompt="a red circle on a white ground", **SMALL)
BLUE = Parameters(prompt="a blue square on a black ground", **SMALL)


@pytest.fixture(scope="module")
def checker(model: SdxlModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that takes a red circle for unfit."""
    path = tmp_path_factory.mktemp("models") / "checker"
    companions.save_checker(path, draw(model, RED), [draw(model, BLUE)])
    return path


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "upscaler"
    companions.save_upscaler(path)
    return path


@pytest.fixture(scope="module")
def checked(path: Path, checker: Path) -> SdxlModel:
    return SdxlModel(path, safety_checker=checker)


def test_a_picture_that_is_fit_is_as_it_was_drawn(model: SdxlModel, checked: SdxlModel) -> None:
    drawn = draw(checked, BLUE)
    assert drawn.info[FLAGGED] is False
    assert drawn.tobytes() == draw(model, BLUE).tobytes()


def test_one_that_is_not_is_black(checked: SdxlModel) -> None:
    drawn = draw(checked, RED)
    assert drawn.info[FLAGGED] is True
    assert drawn.info[PROMPT_TOKENS] > 0
    assert drawn.getextrema() == ((0, 0), (0, 0), (0, 0))
    assert drawn.size == (256, 256)


def test_without_a_checker_there_is_no_verdict(model: SdxlModel) -> None:
    assert FLAGGED not in draw(model, RED).info


def test_nothing_is_previewed_before_it_was_looked_at(model: SdxlModel, checked: SdxlModel) -> None:
    asked = RED.model_copy(update={"partial_images": 2})
    for it, previews in ((model, 2), (checked, 0)):
        seen = Mock()
        it.generate(asked, range(1), lambda _: None, seen)
        assert seen.call_count == previews


def test_weights_that_lack_a_part_are_refused(checker: Path, tmp_path: Path) -> None:
    """They would be random there, and so would be the verdicts."""
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in checker.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    companions.rename(broken, "visual_projection.", "projection.")
    with pytest.raises(ValueError, match=r"lack visual_projection\.weight"):
        SafetyChecker(broken)


def test_a_picture_is_enlarged_to_twice_its_size(path: Path, upscaler: Path) -> None:
    model = SdxlModel(path, upscaler=upscaler)
    small, large = (draw(model, RED.model_copy(update={"upscale": it})) for it in (None, 2))
    assert (small.size, large.size) == ((256, 256), (512, 512))
    assert large.info == small.info
    wide = RED.model_copy(update={"upscale": 2, "width": 264, "height": 256})
    assert draw(model, wide).size == (528, 512)


def test_without_an_upscaler_nothing_is_drawn_small(model: SdxlModel) -> None:
    with pytest.raises(UpscalerMissing):
        draw(model, RED.model_copy(update={"upscale": 2}))


def test_what_is_looked_at_is_what_is_stored(path: Path, upscaler: Path, tmp_path: Path) -> None:
    red, blue = (it.model_copy(update={"upscale": 2}) for it in (RED, BLUE))
    plain = SdxlModel(path, upscaler=upscaler)
    companions.save_checker(tmp_path, draw(plain, red), [draw(plain, blue)])
    both = SdxlModel(path, safety_checker=tmp_path, upscaler=upscaler)
    assert draw(both, blue).info[FLAGGED] is False
    flagged = draw(both, red)
    assert flagged.info[FLAGGED] is True
    assert flagged.size == (512, 512)
    assert flagged.getextrema() == ((0, 0), (0, 0), (0, 0))


@pytest.fixture
def fetched(hub: Hub, checker: Path, tmp_path: Path) -> tuple[Settings, Hub]:
    files, sha256 = companions.source(checker)
    hub.files = files
    companion = Companion(repository=OTHER, revision=REVISION, sha256=sha256)
    return (
        Settings(
            hf_endpoint=hub.url,
            model_dir=tmp_path / "models",
            model_id=download.TINY,
            safety_checker=companion,
        ),
        hub,
    )


def test_the_job_of_the_weights_brings_it_and_a_worker_finds_it(
    fetched: tuple[Settings, Hub],
) -> None:
    settings, hub = fetched
    download.ensure(settings)
    served = len(hub.served)
    download.ensure(settings)
    assert len(hub.served) == served, "it is fetched once"
    (drawn,) = loading.load(settings).generate(RED, range(1), lambda _: None)
    assert drawn.info[FLAGGED] is True


def test_weights_of_another_hash_are_refused(fetched: tuple[Settings, Hub]) -> None:
    settings, hub = fetched
    hub.files = hub.files | {"model.safetensors": b"another"}
    with pytest.raises(SystemExit, match=r"model\.safetensors does not have the hash"):
        download.ensure(settings)


def test_an_upscaler_of_another_size_is_refused_by_the_job(
    fetched: tuple[Settings, Hub], tmp_path: Path
) -> None:
    settings, hub = fetched
    companions.save_upscaler(tmp_path / "four", times=4)
    hub.files, sha256 = companions.source(tmp_path / "four")
    it = Companion(repository=OTHER, revision=REVISION, sha256=sha256)
    asked = settings.model_copy(update={"safety_checker": None, "upscaler": it})
    with pytest.raises(SystemExit, match="makes pictures 4 times as large"):
        download.ensure(asked)


def test_what_is_no_checker_is_refused_by_the_job(
    fetched: tuple[Settings, Hub], upscaler: Path
) -> None:
    settings, hub = fetched
    hub.files, sha256 = companions.source(upscaler)
    assert settings.safety_checker
    it = settings.safety_checker.model_copy(update={"sha256": sha256})
    with pytest.raises(SystemExit, match=REVISION):
        download.ensure(settings.model_copy(update={"safety_checker": it}))
