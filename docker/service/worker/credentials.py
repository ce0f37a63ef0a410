"""Content Credentials: each file says, signed, that a model drew it (C2PA).

https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html
"""

import json
from io import BytesIO
from typing import Any, Final

from c2pa import Builder, C2paError, C2paSignerInfo, Context, Reader, Signer
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL import Image

from core.settings import Settings
from tasks.parameters import ImageFormat, Parameters

_DRAWN: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_DRAWN_INTO: Final = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
"""https://cv.iptc.org/newscodes/digitalsourcetype/"""

_CURVES: Final = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


class Credentials:
    def __init__(self, certificates: str, key: str, generator: str) -> None:
        """@param certificates: PEM, the signer's first, then those that lead to its root
        @param key: PEM in PKCS 8
        @param generator: what draws
        @throws ValueError: no valid signature comes of them"""
        self._generator = generator
        # A thumbnail would show what can be seen anyway; its own check comes below, once.
        self._context = Context.from_dict(
            {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
        )
        try:
            # None: no authority is asked for the time, which would be a request a picture.
            info = C2paSignerInfo(_algorithm(key), certificates.encode(), key.encode(), None)
            self._signer = Signer.from_info(info)
            signed = self.sign(_any_png(), Parameters(prompt="any"))
            state = Reader("image/png", BytesIO(signed)).get_validation_state()
        except C2paError as error:
            raise ValueError(f"C2PA_CERTIFICATES and C2PA_KEY do not sign: {error}") from error
        if state == "Invalid":
            raise ValueError("What C2PA_CERTIFICATES and C2PA_KEY sign is not valid.")

    def sign(self, file: bytes, parameters: Parameters) -> bytes:
        """The file with its manifest; what it shows and says besides stays as it is."""
        builder = Builder(json.dumps(self._manifest(parameters)), context=self._context)
        signed = BytesIO()
        builder.sign(self._signer, parameters.format.media_type, BytesIO(file), signed)
        return signed.getvalue()

    def _manifest(self, parameters: Parameters) -> dict[str, Any]:
        created = {
            "action": "c2pa.created",
            "digitalSourceType": _DRAWN_INTO if parameters.mask else _DRAWN,
            "softwareAgent": {"name": parameters.model or self._generator},
        }
        return {
            "claim_generator_info": [{"name": "image-service"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
        }


def credentials_of(settings: Settings) -> Credentials | None:
    """@throws ValueError: they do not sign"""
    if settings.c2pa_certificates is None or settings.c2pa_key is None:
        return None
    return Credentials(
        settings.c2pa_certificates.get_secret_value(),
        settings.c2pa_key.get_secret_value(),
        settings.model_id,
    )


def _algorithm(key: str) -> str:
    """As C2PA names it, by the key's kind (its section 13.2.1). @throws ValueError"""
    private = load_pem_private_key(key.encode(), None)
    if isinstance(private, EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, RSAPrivateKey):
        return "ps256"
    raise ValueError("C2PA_KEY is of no kind that C2PA signs with.")


def _any_png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, ImageFormat.PNG)
    return file.getvalue()
