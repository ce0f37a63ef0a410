"""What several workers write once."""

from pathlib import Path

from core.object_store import ObjectStore
from core.settings import Settings


async def test_of_several_writers_the_first_ones_object_stays(tmp_path: Path) -> None:
    store = ObjectStore(Settings(data_dir=tmp_path))
    await store.put_once("compiled/1", b"first", replace=False)
    await store.put_once("compiled/1", b"second", replace=False)
    assert (tmp_path / "compiled/1").read_bytes() == b"first"
    await store.put_once("compiled/1", b"of use", replace=True)
    assert (tmp_path / "compiled/1").read_bytes() == b"of use"
