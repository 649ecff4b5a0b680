# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority for tests, by the openssl program."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Issued:
    """Paths of a PEM certificate and its PEM key."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates into `folder`. One name is issued once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.crt"
        self._key = folder / "ca.key"
        if not self.ca.exists():
            _openssl(
                "req",
                "-x509",
                *_KEY,
                "-days",
                "30",
                "-subj",
                "/CN=test CA",
                "-keyout",
                self._key,
                "-out",
                self.ca,
            )

    def server(
        self, name: str, alternative_names: Sequence[str] = ("DNS:localhost", "IP:127.0.0.1")
    ) -> Issued:
        return self._issue(name, "/CN=" + name, "subjectAltName=" + ",".join(alternative_names))

    def client(self, user: str, group: str = "testers") -> Issued:
        return self._issue(user, f"/O={group}/CN={user}", "extendedKeyUsage=clientAuth")

    def expired(self) -> Issued:
        """A server certificate that was valid in the past only."""
        return self._issue(
            "expired", "/CN=expired", "subjectAltName=DNS:localhost,IP:127.0.0.1", in_the_past=True
        )

    def _issue(self, name: str, subject: str, extension: str, in_the_past: bool = False) -> Issued:
        issued = Issued(self.folder / (name + ".crt"), self.folder / (name + ".key"))
        if issued.certificate.exists():
            return issued
        request, extensions = self.folder / (name + ".csr"), self.folder / (name + ".ext")
        _openssl("req", "-new", *_KEY, "-subj", subject, "-keyout", issued.key, "-out", request)
        extensions.write_text(extension + "\n", encoding="ascii")
        if in_the_past:
            self._sign_in_the_past(request, extensions, issued.certificate)
        else:
            _openssl(
                "x509",
                "-req",
                "-days",
                "30",
                "-in",
                request,
                "-CA",
                self.ca,
                "-CAkey",
                self._key,
                "-CAcreateserial",
                "-extfile",
                extensions,
                "-out",
                issued.certificate,
            )
        return issued

    def _sign_in_the_past(self, request: Path, extensions: Path, target: Path) -> None:
        # Only "openssl ca" of OpenSSL 3.0 takes dates, and it wants a database for that.
        database = self.folder / "index.txt"
        database.write_text("", encoding="ascii")
        config = self.folder / "ca.cnf"
        config.write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {database}\nnew_certs_dir = "
            f"{self.folder}\ndefault_md = sha256\n"
            "policy = any\nrand_serial = yes\n[any]\ncommonName = supplied\n",
            encoding="utf-8",
        )
        _openssl(
            "ca",
            "-batch",
            "-notext",
            "-config",
            config,
            "-cert",
            self.ca,
            "-keyfile",
            self._key,
            "-in",
            request,
            "-extfile",
            extensions,
            "-startdate",
            "20200101000000Z",
            "-enddate",
            "20200201000000Z",
            "-out",
            target,
        )


def _openssl(*arguments: object) -> None:
    subprocess.run(
        ["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
