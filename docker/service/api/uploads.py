"""Sends finished pictures to the addresses that their requests named, as PUT has it."""

from collections.abc import Sequence

from api.courier import DELAYS, Courier, Outcome, attempt
from api.guarded_client import GuardedClient
from core.settings import Settings
from tasks.images import ImageStore
from tasks.store import TaskStore
from tasks.uploads import Upload, UploadStore

_AT_ONCE = 8
"""Each holds a piece of a picture in memory, of some megabytes."""
_SECONDS = 120


class Uploader(Courier[Upload]):
    def __init__(
        self,
        uploads: UploadStore,
        store: TaskStore,
        images: ImageStore,
        settings: Settings,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        super().__init__(uploads, _AT_ONCE, settings.relay_seconds, delays)
        self._store = store
        self._images = images
        self._client = GuardedClient(settings.private_networks)

    async def close(self) -> None:
        await self._client.close()

    async def bring(self, upload: Upload) -> Outcome:
        task = await self._store.get(upload.task_id, key_id=None)
        assert task is not None
        if upload.picture >= len(task.images):
            return Outcome(False, f"the task has {task.status}", True)
        image = task.images[upload.picture]
        try:
            size = await self._images.size(image)
        except FileNotFoundError:
            return Outcome(False, "the picture has been deleted", True)
        headers = {"Content-Type": image.media_type, "Content-Length": str(size)}
        body = self._images.pieces(image, size)
        sent = self._client.send("PUT", upload.url, headers, body, seconds=_SECONDS)
        return await attempt(sent, _final)


def _final(status: int) -> bool:
    """What a store says of the request itself, such as that its signature has expired; it says
    408, 425 and 429 of the moment (RFC 9110, RFC 8470, RFC 6585)."""
    return 300 <= status < 500 and status not in (408, 425, 429)
