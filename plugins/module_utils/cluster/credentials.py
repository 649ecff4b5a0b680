# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a credential comes from, and how it is renewed. Each source returns the credential of this moment."""

from __future__ import annotations

import base64
import copy
import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..network.tls import ClientCertificate, read_file
from ..safe_text import server_text
from .exec_plugin import PluginCredential, plugin_command, run_plugin
from .kubeconfig import KubeconfigChoice

# Seconds before its expiry from which a token is not used any more, because the request must still arrive.
_EXPIRY_MARGIN = 30.0
_JWT_PARTS = 3


@dataclass(frozen=True)
class Credential:
    """Who we are: the value of the Authorization header (empty for none) and the client certificate."""

    authorization: str = ""
    certificate: ClientCertificate | None = None

    def __repr__(self) -> str:
        return "Credential(...)"


class CredentialSource:
    """A credential that never changes; the other sources extend it.

    :ivar what: the credential in words, for messages
    """

    def __init__(self, credential: Credential, what: str = "the credential") -> None:
        self._credential = credential
        self.what = what

    def current(self) -> Credential:
        """:raises ScanError: no_credential, bad_file"""
        return self._credential

    @property
    def newest(self) -> Credential:
        """The one that `current` gave last: nothing is read or run for it."""
        return self._credential

    def renew(self) -> bool:
        """The server refused the credential. True if `current` will now return or fetch another one."""
        return False


class TokenFile(CredentialSource):
    """A file with a bearer token, which is replaced when the token is renewed (projected tokens of service
    accounts).

    :param other_token: what is used while the file cannot be read; "" for nothing
    """

    def __init__(
        self, path: Path, certificate: ClientCertificate | None = None, other_token: str = ""
    ) -> None:
        super().__init__(
            Credential(bearer(other_token) if other_token else "", certificate), f"the token file {path}"
        )
        self._path = path
        self._has_other = bool(other_token)
        self._certificate = certificate
        self._version: tuple[int, int, int] = (0, 0, 0)

    def current(self) -> Credential:
        try:
            stat = self._path.stat()
        except OSError as error:
            if self._has_other:
                return self._credential
            raise ScanError(
                "no_credential", f"the token file {self._path} cannot be read ({error.strerror})"
            ) from None
        version = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if version != self._version:
            token = read_file(self._path, "the token file").decode("utf-8", "replace").strip()
            if not token:
                raise ScanError("no_credential", f"the token file {self._path} is empty")
            self._credential = Credential(bearer(token), self._certificate)
            self._version = version
        return self._credential


class ExecPlugin(CredentialSource):
    """The credential that a plugin printed, kept until it expires or is refused.

    :param certificate: the user's own client certificate, used if the plugin prints none
    """

    def __init__(
        self,
        choice: KubeconfigChoice,
        environ: Mapping[str, str],
        certificate: ClientCertificate | None = None,
    ) -> None:
        super().__init__(Credential(), f"the exec plugin {server_text(plugin_command(choice))}")
        self._choice = choice
        self._environ = environ
        self._certificate = certificate
        self._answer: PluginCredential | None = None
        self._lock = threading.Lock()

    def current(self) -> Credential:
        with self._lock:
            answer = self._answer
            if answer is None or (
                answer.expires is not None and time.time() > answer.expires - _EXPIRY_MARGIN
            ):
                self._answer = answer = run_plugin(self._choice, self._environ)
                self._credential = Credential(
                    bearer(answer.token) if answer.token else "", answer.certificate or self._certificate
                )
            return self._credential

    def renew(self) -> bool:
        with self._lock:
            self._answer = None
        return True


class AuthProvider(CredentialSource):
    """The old `auth-provider` of a kubeconfig, by the `kubernetes` package, which can renew its tokens."""

    def __init__(self, choice: KubeconfigChoice) -> None:
        super().__init__(Credential(), "the auth-provider")
        self._choice = choice
        provider = copy.deepcopy(choice.user.content["auth-provider"])
        config = provider.get("config")
        if config and not config.get("idp-certificate-authority-data"):
            # Without a CA the package asks the identity provider without verifying its certificate.
            config.setdefault("idp-certificate-authority", ssl.get_default_verify_paths().cafile or "")
        self._document: dict[str, Any] = {
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x", "cluster": {"server": "https://x"}}],
            # Only the token is taken from that package: we read the rest ourselves.
            "users": [{"name": "x", "user": {"auth-provider": provider}}],
        }
        self._lock = threading.Lock()
        self._checked = 0.0

    def current(self) -> Credential:
        with self._lock:
            # The package looks at the token's expiry itself, and renews in `_document`.
            if time.monotonic() > self._checked + _EXPIRY_MARGIN or not self._credential.authorization:
                self._credential = Credential(self._load())
                self._checked = time.monotonic()
            return self._credential

    def _load(self) -> str:
        name = self._choice.user.content["auth-provider"].get("name")
        try:
            from kubernetes.client import Configuration
            from kubernetes.config import load_kube_config_from_dict
        except ImportError:
            raise ScanError(
                "missing_library",
                f"the Python package kubernetes is needed for the auth-provider {name!r} of "
                f"user {self._choice.user.name!r}",
            ) from None
        configuration = Configuration()
        configuration.api_key = {}
        try:
            load_kube_config_from_dict(
                self._document, client_configuration=configuration, persist_config=False
            )
        except Exception as error:  # noqa: BLE001 - a foreign package: it can raise anything, and quote secrets
            raise self._failed(str(name), type(error).__name__) from None
        # The key's name differs between versions of the package.
        value = next(iter(configuration.api_key.values()), "")
        if not value:
            raise self._failed(str(name), "no token")
        return str(value)

    def _failed(self, name: str, why: str) -> ScanError:
        return ScanError(
            "no_credential",
            f"the auth-provider {name!r} of user {self._choice.user.name!r} gave no token ({why})",
            advice="Log in again, or use an exec plugin: auth-provider is deprecated by Kubernetes.",
        )


def bearer(token: str) -> str:
    """The value of the Authorization header.

    :raises ScanError: no_credential if the token cannot stand in a header
    """
    token = token[7:] if token[:7].lower() == "bearer " else token
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ScanError("no_credential", "the bearer token is empty or contains characters that no token has")
    return "Bearer " + token


def end_of_token(authorization: str) -> datetime | None:
    """When a bearer token ends by its own account (the claim `exp` of a JSON Web Token), which nobody has verified;
    None where it does not say.

    :param authorization: the value of the Authorization header
    """
    parts = authorization.split(".")
    if len(parts) != _JWT_PARTS:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(claims["exp"], timezone.utc)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None
