# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS with one server: what is trusted, our certificate, and a session that makes the next handshake cheap."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from ..errors import ScanError
from .tls_in_tls import TlsInTls

TlsSocket = Union[ssl.SSLSocket, TlsInTls]
# What stands between has no hyphen: a text of beginnings without ends takes no more time than another.
_CERTIFICATES = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


@dataclass(frozen=True)
class ClientCertificate:
    """Certificate chain and private key, both PEM."""

    chain: bytes
    key: bytes

    def __repr__(self) -> str:
        return "ClientCertificate(...)"


class TlsClient:
    """One SSL context, made once because that is costly, and the newest session for resumption.

    A session proves the client certificate of the connection that it came from, so it is only used with its own
    context.

    :param ca_pem: certificates to trust; None for those of the system
    :param verify: False takes any certificate
    :param trusts_system: also the system's certificates are trusted
    :raises ScanError: bad_file
    """

    def __init__(
        self,
        ca_pem: bytes | None,
        verify: bool,
        certificate: ClientCertificate | None = None,
        *,
        trusts_system: bool = False,
    ) -> None:
        self.ca_pem = ca_pem
        self.verify = verify
        self.certificate = certificate
        self._trusts_system = trusts_system or ca_pem is None
        self._context = self._make_context()
        self._session: ssl.SSLSession | None = None
        self._of_proxy: TlsClient | None = None

    def of_proxy(self) -> TlsClient:
        """The TLS with a proxy on the way to the server: the same trust and, as proxies have certificates of other
        issuers, that of the system. It is not shown our certificate."""
        if self._of_proxy is None:
            self._of_proxy = TlsClient(self.ca_pem, self.verify, trusts_system=True)
        return self._of_proxy

    def wrap(self, sock: object, server_name: str) -> TlsSocket:
        """Put TLS on a connected, non-blocking socket. The caller does the handshake."""
        if isinstance(sock, ssl.SSLSocket):
            return TlsInTls(sock, self._context, server_name, self._session)
        return self._context.wrap_socket(
            sock,  # type: ignore[arg-type]
            server_hostname=server_name,
            do_handshake_on_connect=False,
            session=self._session,
        )

    def remember(self, sock: TlsSocket) -> None:
        """Keep the session of a connection that is about to be closed (TLS 1.3 sends it after the handshake).

        Not if the kept session was used: Python copies a session each time, which costs half a handshake.
        """
        if sock.session_reused:
            return
        session = sock.session
        if session is not None and session.has_ticket:
            self._session = session

    def context(self) -> ssl.SSLContext:
        """A context of the same trust and certificate, for a library that does TLS itself. :raises ScanError: bad_file"""
        return self._make_context()

    def _make_context(self) -> ssl.SSLContext:
        # Not ssl.create_default_context: from Python 3.13 on that refuses CAs without a key identifier, which
        # many clusters still have, and it reads the system's CAs where they are not wanted.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return self._with_certificate(context)
        if self._trusts_system:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if self.ca_pem is not None:
            blocks = b"\n".join(_CERTIFICATES.findall(self.ca_pem))
            try:
                context.load_verify_locations(cadata=blocks.decode("ascii"))
            except (ssl.SSLError, ValueError):
                raise ScanError("bad_file", "the CA contains no usable PEM certificate") from None
        return self._with_certificate(context)

    def _with_certificate(self, context: ssl.SSLContext) -> ssl.SSLContext:
        if self.certificate is not None:
            self._load_certificate(context, self.certificate)
        return context

    @staticmethod
    def _load_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
        try:
            with _private_file(certificate.chain + b"\n" + certificate.key) as path:
                # An empty password makes an encrypted key an error; without it OpenSSL asks on the terminal.
                context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or "not PEM, or an encrypted key"
            raise ScanError(
                "bad_file",
                f"the client certificate and key cannot be used together ({reason})",
                advice="Give a PEM certificate and its unencrypted PEM key.",
            ) from None


def read_file(path: Path, what: str) -> bytes:
    """The content of a file that an option or a kubeconfig names.

    :param what: the option, for the error

    :raises ScanError: bad_file
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such name is possible"
        raise ScanError("bad_file", f"{what} {path} cannot be read ({why})") from None


@contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    """A path from which OpenSSL can read `content`, and nobody else.

    The file is in memory if the system can (Linux).
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("client-certificate")
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    handle, path = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        yield path
    finally:
        Path(path).unlink()
