"""When the certificate ends that clients are shown, as whoever connects sees it."""

import asyncio
import logging
import ssl
import time
from urllib.parse import urlsplit

from core import metrics
from core.settings import Settings

log = logging.getLogger(__name__)

_PATIENCE = 1.5
_AGAIN = 600
"""Seconds between two looks."""
_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED, https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""


class Certificate:
    def __init__(self, settings: Settings) -> None:
        host, _, port = (settings.certificate_server or "").rpartition(":")
        self._at = (host, int(port)) if host else None
        self._name = urlsplit(settings.public_url or "").hostname or host
        self._proxied = settings.certificate_proxied
        self._due = 0.0

    async def look(self) -> None:
        """What could not be seen now stays what it was."""
        if not self._at or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _AGAIN
        try:
            async with asyncio.timeout(_PATIENCE):
                metrics.CERTIFICATE_ENDS.set(await self._ends())
        except OSError as error:
            log.warning("certificate: %r", error)

    async def _ends(self) -> float:
        """ssl reads only what it trusts: a certificate of unknown parents is trusted by itself."""
        anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        shown = (await self._shake_hands(anyone)).getpeercert(binary_form=True)
        assert shown is not None
        this = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        this.check_hostname = False
        this.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        this.load_verify_locations(cadata=shown)
        try:
            read = (await self._shake_hands(this)).getpeercert()
        except ssl.SSLCertVerificationError as error:
            if error.verify_code != _EXPIRED:
                raise
            return 1
        assert read is not None
        return ssl.cert_time_to_seconds(str(read["notAfter"]))

    async def _shake_hands(self, context: ssl.SSLContext) -> ssl.SSLObject:
        assert self._at
        _, writer = await asyncio.open_connection(*self._at)
        try:
            if self._proxied:
                # https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt, section 2.1
                writer.write(b"PROXY UNKNOWN\r\n")
            await writer.start_tls(context, server_hostname=self._name)
            done = writer.get_extra_info("ssl_object")
            assert isinstance(done, ssl.SSLObject)
            return done
        finally:
            writer.close()
