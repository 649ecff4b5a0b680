# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What signs: a private key in PEM form, or a command that has the key elsewhere (KMS, HSM, cosign).

The private key is held in memory and stands in no message. A signature of a command counts only when the public key that the
operator names verifies it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import selectors
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import ScanError
from ..safe_text import server_text
from ..secret_texts import without_secret
from ..secret_variables import is_secret
from ..strict_json import load_json
from .keys import PEM_MARK, TrustedKey, need_library, read_key_file, trusted_key
from .problems import bad_key

try:
    from cryptography.hazmat.primitives import serialization
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined, unused-ignore]
except ImportError:
    pass

FILE_WORD, DIGEST_WORD = "{file}", "{sha256}"
_MOST_OUTPUT = 64 * 1024
_PAUSE = 0.2
_ENCRYPTED = b"ENCRYPTED"
_OF_COSIGN = (b"ENCRYPTED SIGSTORE PRIVATE KEY", b"ENCRYPTED COSIGN PRIVATE KEY")


class Signer(Protocol):
    """`public` is the key that verifies what it signs. `is_fast`: whether each of thousands of statements can be signed."""

    @property
    def public(self) -> TrustedKey: ...
    @property
    def is_fast(self) -> bool: ...
    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True)
class KeySigner:
    public: TrustedKey
    signer: Any = field(repr=False)
    is_fast: bool = True

    def sign(self, data: bytes) -> bytes:
        return bytes.fromhex(self.signer.sign(data).signature)


def read_signer(given: str, passphrase: str) -> KeySigner:
    """The private key in a file or in a PEM text.

    :param passphrase: empty where the key is not encrypted
    :raises ScanError: `bad_key`, also for a file that others are allowed to read; `missing_library`
    """
    need_library()
    if PEM_MARK in given:
        source, pem = "the private key", given.encode("utf-8")
    else:
        source, pem = given, read_key_file(given)
        _check_mode(given)
    if any(mark in pem for mark in _OF_COSIGN):
        raise ScanError(
            "bad_key",
            f"{source} is a private key in cosign's own form, which only cosign reads",
            tried="read the key",
            advice="Let cosign sign, by sign_command; docs/signing.md has the command. Or make the key with openssl, and give it "
            "to cosign by `cosign import-key-pair`.",
        )
    if _ENCRYPTED in pem and not passphrase:
        raise bad_key(source, "is encrypted, and no passphrase is given")
    try:
        private = serialization.load_pem_private_key(pem, passphrase.encode("utf-8") if passphrase else None)
    except Exception:  # noqa: BLE001 - the library has many ways to refuse a text; none of them is shown, for it holds a secret
        wrong = ", or the passphrase is another one" if passphrase else ""
        raise bad_key(source, f"is not a private key in PEM form{wrong}") from None
    public = trusted_key(private.public_key(), source)
    return KeySigner(public, CryptoSigner(private, public.key))


def _check_mode(path: str) -> None:
    """:raises ScanError: `bad_key`, where others than its owner are allowed to read it, or it is another user's"""
    try:
        status = Path(path).expanduser().stat()
    except OSError as reason:
        raise bad_key(path, f"cannot be read: {reason.strerror or reason}") from None
    if status.st_uid not in (0, os.geteuid()):
        raise bad_key(path, "belongs to another user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise ScanError(
            "bad_key",
            f"others than its owner are allowed to read or write {path} (mode {stat.S_IMODE(status.st_mode):04o})",
            tried="read the key",
            advice=f"chmod 600 {path}; who could have read it could have signed, so consider a new key.",
        )


@dataclass(frozen=True)
class CommandSigner:
    """A command that gets what is to be signed on its standard input, and prints the signature: as it is, in base64, or in a
    bundle of cosign.

    In its words `{file}` is the path of a file that holds the same bytes, and `{sha256}` their digest in hexadecimal digits.
    """

    public: TrustedKey
    argv: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    seconds: float = 60.0
    is_fast: bool = False

    def sign(self, data: bytes) -> bytes:
        """:raises ScanError: `signing_failed`"""
        with _words(self.argv, data) as argv:
            output = self._output(argv, data)
        for signature in _readings(output):
            if self.public.verifies(signature, data):
                return signature
        raise self._failed(
            f"what it printed is no signature that the public key {self.public.source} verifies"
        )

    def _output(self, argv: Sequence[str], data: bytes) -> bytes:
        try:
            # the engine runs where there is no module with a run_command, in the controller process
            # pylint: disable-next=ansible-bad-function
            process = subprocess.Popen(  # noqa: S603 - running what the operator names is the purpose
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(self.environ),
                start_new_session=True,
            )
        except (OSError, ValueError) as reason:
            raise self._failed(
                f"it cannot be started ({getattr(reason, 'strerror', '') or reason})"
            ) from None
        try:
            output, message = self._exchange(process, data)
            code = process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
        if code:
            lines = message.decode("utf-8", "replace").strip().splitlines() or ["it printed no message"]
            said = server_text(without_secret(self._without_own_secrets(lines[-1])), limit=200)
            raise self._failed(f"it ended with exit code {code}: {said}")
        return output

    def _without_own_secrets(self, text: str) -> str:
        """Without what the command was given by its environment, and may say."""
        secrets = [value for name, value in self.environ.items() if is_secret(name, value)]
        for value in sorted(secrets, key=len, reverse=True):
            text = text.replace(value, "***")
        return text

    def _exchange(self, process: subprocess.Popen[bytes], data: bytes) -> tuple[bytes, bytes]:
        """(output, message) until both streams have ended. :raises ScanError: `signing_failed`, when that takes too long, or it
        prints too much"""
        end, left = time.monotonic() + self.seconds, memoryview(data)
        stdin: Any = process.stdin
        got = {process.stdout: bytearray(), process.stderr: bytearray()}
        with selectors.DefaultSelector() as selector:
            os.set_blocking(stdin.fileno(), False)
            selector.register(stdin, selectors.EVENT_WRITE)
            for stream, read in got.items():
                selector.register(stream, selectors.EVENT_READ, read)  # type: ignore[arg-type]
            while any(key.data is not None for key in selector.get_map().values()):
                self._check_time(end)
                for key, _events in selector.select(_PAUSE):
                    if key.data is None:
                        left = _feed(stdin, left)
                        if not left:
                            selector.unregister(stdin)
                            stdin.close()
                        continue
                    piece = os.read(key.fd, _MOST_OUTPUT)
                    if not piece:
                        selector.unregister(key.fileobj)
                    elif len(key.data) + len(piece) > _MOST_OUTPUT:
                        raise self._failed(f"it printed more than {_MOST_OUTPUT} bytes")
                    key.data.extend(piece)
            while process.poll() is None:
                self._check_time(end)
                time.sleep(_PAUSE / 10)
        return bytes(got[process.stdout]), bytes(got[process.stderr])

    def _check_time(self, end: float) -> None:
        if time.monotonic() > end:
            raise self._failed(f"it did not end within {self.seconds:g} s")

    def _failed(self, what: str) -> ScanError:
        return ScanError("signing_failed", f"{server_text(self.argv[0])}: {what}", tried="sign by a command")


def _feed(stream: Any, left: memoryview) -> memoryview:
    """What is still to be written. A command that does not read it loses nothing."""
    try:
        return left[os.write(stream.fileno(), left[:_MOST_OUTPUT]) :]
    except BrokenPipeError:
        return left[:0]


@contextlib.contextmanager
def _words(argv: Sequence[str], data: bytes) -> Iterator[list[str]]:
    digest = hashlib.sha256(data).hexdigest()
    words = [word.replace(DIGEST_WORD, digest) for word in argv]
    if not any(FILE_WORD in word for word in words):
        yield words
        return
    with tempfile.NamedTemporaryFile(prefix="securescan-") as file:
        file.write(data)
        file.flush()
        yield [word.replace(FILE_WORD, file.name) for word in words]


def _readings(output: bytes) -> Iterator[bytes]:
    """What an output can mean: a bundle of cosign 3, base64, as cloud programs print it, or the signature itself."""
    with contextlib.suppress(ValueError, RecursionError, TypeError, KeyError):
        yield base64.b64decode(load_json(output)["messageSignature"]["signature"], validate=True)
    with contextlib.suppress(ValueError, binascii.Error):
        yield base64.b64decode(b"".join(output.split()), validate=True)
    yield output
