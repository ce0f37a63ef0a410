"""A hub for tests, which breaks as networks do."""

import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from worker import download

FILES = {"model_index.json": b"{}", "unet/weights.safetensors": bytes(range(256)) * 4096}
WEIGHTS = FILES["unet/weights.safetensors"]

OTHER, REVISION = "somebody/sdxl-of-hers", "ab" * 20
INDEX = (
    b'{"_class_name": "StableDiffusionXLPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}'
)
REPOSITORY = (
    dict.fromkeys(
        [
            *("README.md", "sdxl.safetensors", "unet/diffusion_pytorch_model.bin"),
            *("unet/diffusion_pytorch_model.non_ema.safetensors", "vae/vae.safetensors"),
            *("text_encoder/pytorch_model.bin.index.json", "unet_lora/config.json", "unet/code.py"),
            *(
                "text_encoder/openvino_model.xml",
                "vae_encoder/model.onnx",
                "unet/deeper/config.json",
            ),
            "../unet/config.json",
        ],
        b"of no use",
    )
    | dict.fromkeys(
        [
            "scheduler/scheduler_config.json",
            *("text_encoder/config.json", "text_encoder/model.safetensors"),
            *("text_encoder_2/config.json", "text_encoder_2/model.safetensors"),
            *("tokenizer/merges.txt", "tokenizer/vocab.json", "tokenizer_2/tokenizer.json"),
            *("unet/config.json", "unet/diffusion_pytorch_model.safetensors"),
            *("vae/config.json", "vae/diffusion_pytorch_model.safetensors"),
        ],
        b"loaded",
    )
    | {"model_index.json": INDEX}
)
"""Its content is whether it is loaded."""


class Hub(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files = dict(FILES)
        self.ranges = True
        self.cut_after: list[int] = []
        """Of the coming answers with weights, how many bytes until the connection breaks."""
        self.served: list[tuple[str, int]] = []
        """Each answer's file, and the byte at which it starts."""


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        if self.path.startswith(f"/api/models/{OTHER}/tree/{REVISION}"):
            self.list()
            return
        name = self.path.removeprefix(f"/{download.SDXL}/resolve/{download.SDXL_REVISION}/")
        name = name.removeprefix(f"/{OTHER}/resolve/{REVISION}/")
        if name not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[name]
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if not self.server.ranges:
            start = 0
        elif start >= len(data):
            self.send_error(416)
            return
        self.server.served.append((name, start))
        self.send_response(206 if self.server.ranges else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cut = self.server.cut_after.pop(0) if data is WEIGHTS and self.server.cut_after else None
        self.wfile.write(data[start:] if cut is None else data[start : start + cut])

    def list(self) -> None:
        """Two to a page, as https://huggingface.co/docs/hub/api has it; large files are in LFS."""
        entries: list[dict[str, object]] = [{"type": "directory", "path": "unet", "oid": "0" * 40}]
        for path, data in self.server.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            entry = {"type": "file", "path": path, "oid": blob, "size": len(data)}
            if path.endswith(".safetensors"):
                large = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
                entry |= {"oid": "1" * 40, "lfs": large}
            entries.append(entry)
        start = int(self.path.partition("&cursor=")[2] or 0)
        self.send_response(200)
        if start + 2 < len(entries):
            following = f"{self.server.url}{self.path.split('&')[0]}&cursor={start + 2}"
            self.send_header("Link", f'<{following}>; rel="next"')
        self.end_headers()
        self.wfile.write(json.dumps(entries[start : start + 2]).encode())

    def log_message(self, *_: object) -> None:
        pass
