# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store of objects with the API of S3: each file of a run becomes an object, which is written once.

The key is <prefix>/<cluster>/<run>/<path in the run's folder>. An object is written only where there is none of this key
(If-None-Match). One that is there with the same SHA-256 is the same, and any other one is an error: evidence is never replaced.
With object_lock the store keeps it until its time, also against its owner. What was written is asked for again: its size, its
digest, its lock.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..network.http_client import split_url
from ..results.run import SUMMARY_JSON, Run
from ..results.target_record import ErrorRecord
from ..results.whole_file import read_own_file
from ..safe_text import one_line, server_text
from .item import ALREADY_THERE, Item, Outcome, item_key
from .pushed import Pushed
from .sink import Limits, Sink, SinkKind
from .sink_options import PROXY_OPTIONS, TLS_OPTIONS, SinkOptions

_LIMITS = Limits(items=20, bytes=32 * 1024 * 1024)
# What a run is, without reports and the facts that were kept; the summary comes last, so that a run that has one is whole.
_FILES = ("hdf/*", "drift/*", "deadlines.json", "decisions/*", "evidence/*")
_MAX_FILE = 512 * 1024 * 1024
_MOST_FILES = 1_000_000
_PART = 8 * 1024 * 1024
_NO_KEY = re.compile(r"[^A-Za-z0-9!_.*'()/-]")
_MODES = ("governance", "compliance")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MAX_DAYS = 36_500
# What the store's own words mean: to be tried again, or the end of the push.
_TRIED_AGAIN = {
    "SlowDown": "throttled",
    "ServiceUnavailable": "throttled",
    "InternalError": "server_error",
    "RequestTimeout": "timed_out",
    "ConditionalRequestConflict": "server_error",
    "OperationAborted": "server_error",
}
_ENDS = {
    "SignatureDoesNotMatch": "not_authenticated",
    "InvalidAccessKeyId": "not_authenticated",
    "ExpiredToken": "not_authenticated",
    "InvalidToken": "not_authenticated",
    "XAdminUserNotFound": "not_authenticated",
    "AccessDenied": "not_permitted",
    "AllAccessDisabled": "not_permitted",
    "NoSuchBucket": "not_found",
}


class S3(Sink):
    """Writes objects into a bucket."""

    def __init__(self, options: SinkOptions) -> None:
        own = options.own
        self._bucket = _bucket(own["bucket"])
        self._prefix = _key_part(own["prefix"] or "")
        self._files = tuple(own["files"] or _FILES)
        self._lock = _lock_of(own)
        self._encryption = _encryption(own)
        self._part = _PART
        self._requests = 0
        endpoint = options.url.rstrip("/")
        if endpoint:
            split_url(endpoint)
        access = own["access_key"] or options.environ.get("AWS_ACCESS_KEY_ID")
        secret = own["secret_key"] or options.environ.get("AWS_SECRET_ACCESS_KEY")
        session = own["session_token"] or options.environ.get("AWS_SESSION_TOKEN")
        if bool(own["access_key"]) != bool(own["secret_key"]):
            raise _bad("access_key", "access_key and secret_key belong together")
        self.secrets = tuple(filter(None, (secret, session)))
        self._client = self._make_client(options, endpoint, (access, secret, session))
        self._cancel = options.cancel
        self.destination = f"{endpoint or 's3'} {self._bucket}/{self._prefix}".rstrip("/")
        self.limits = _LIMITS

    @property
    def requests(self) -> int:
        return self._requests

    def items(self, pushed: Pushed) -> Iterator[Item]:
        run = pushed.run
        folder = Path(run.folder)
        known = _digests_of(run)
        for path in [*_chosen(folder, self._files), SUMMARY_JSON]:
            sha256 = known.get(path) or _sha256(folder / path)
            key = "/".join(filter(None, (self._prefix, _key_part(run.cluster), _key_part(run.run_id), path)))
            yield Item(item_key(run.run_id, "s3", path, sha256), key, run.run_id, path=path, sha256=sha256)

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        return [self._put(item) for item in batch]

    def close(self) -> None:
        self._client.close()

    def _put(self, item: Item) -> Outcome:
        if self._cancel.is_set():
            raise ScanError("cancelled", "the push was cancelled", tried=f"put {item.subject}")
        key, tried = item.subject, f"put {self._bucket}/{item.subject}"
        digest = hashlib.sha256(item.body)
        try:
            there = self._head(key) if item.tries else None
            outcome: Outcome = None
            if there is None:
                outcome = self._write(key, item, digest.digest())
                there = self._head(key)
            else:
                outcome = ALREADY_THERE
        except ScanError:
            raise
        except Exception as error:  # noqa: BLE001 - of the library, which has many
            reason, said = self._meaning(error)
            if reason in _TRIED_AGAIN.values() or reason == "invalid_request":
                return _record(reason, said, tried)
            raise ScanError(
                reason, said, tried=tried, cause=_CAUSES.get(reason, ""), advice=_ADVICE.get(reason, "")
            ) from None
        return self._verified(there, item, digest.hexdigest(), outcome, tried)

    def _write(self, key: str, item: Item, digest: bytes) -> Outcome:
        """None where it was written, else that there was an object of this key."""
        common: dict[str, Any] = {
            "Bucket": self._bucket,
            "Key": key,
            "Metadata": {"sha256": digest.hex(), "securescan-key": item.key},
            "ContentType": "application/json" if key.endswith(".json") else "application/octet-stream",
            **self._encryption,
        }
        if self._lock:
            mode, days = self._lock
            until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)
            common.update(ObjectLockMode=mode.upper(), ObjectLockRetainUntilDate=until)
        try:
            if len(item.body) > self._part:
                self._write_parts(common, item.body)
            else:
                checksum = base64.b64encode(digest).decode("ascii")
                self._call("put_object", Body=item.body, IfNoneMatch="*", ChecksumSHA256=checksum, **common)
        except Exception as error:
            if _code(error) in ("PreconditionFailed", "412"):
                return ALREADY_THERE
            raise
        return None

    def _write_parts(self, common: Mapping[str, Any], body: bytes) -> None:
        upload = self._call("create_multipart_upload", ChecksumAlgorithm="SHA256", **common)["UploadId"]
        where = {"Bucket": common["Bucket"], "Key": common["Key"], "UploadId": upload}
        parts = []
        try:
            for number, start in enumerate(range(0, len(body), self._part), start=1):
                part = body[start : start + self._part]
                checksum = base64.b64encode(hashlib.sha256(part).digest()).decode("ascii")
                sent = self._call(
                    "upload_part", PartNumber=number, Body=part, ChecksumSHA256=checksum, **where
                )
                parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": checksum})
            self._call(
                "complete_multipart_upload", IfNoneMatch="*", MultipartUpload={"Parts": parts}, **where
            )
        except BaseException:
            with contextlib.suppress(Exception):  # the first failure is the one that counts
                self._call("abort_multipart_upload", **where)
            raise

    def _head(self, key: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._call("head_object", Bucket=self._bucket, Key=key)
        except Exception as error:
            if _code(error) in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        return found

    def _verified(
        self, there: Mapping[str, Any] | None, item: Item, digest: str, outcome: Outcome, tried: str
    ) -> Outcome:
        """The outcome, or what is wrong with the object that is there."""
        if there is None:
            return _record("server_error", "the store took the object, and does not have it", tried)
        if (there.get("Metadata") or {}).get("sha256") != digest or there.get("ContentLength") != len(
            item.body
        ):
            return _record("object_differs", "there is another object of this key", tried)
        if self._lock and (there.get("ObjectLockMode") or "").lower() != self._lock[0]:
            return _record("object_not_locked", "the store did not lock the object", tried)
        return outcome

    def _call(self, method: str, **arguments: Any) -> Any:
        self._requests += 1
        return getattr(self._client, method)(**arguments)

    def _meaning(self, error: Exception) -> tuple[str, str]:
        """(reason, message) of an error of the library."""
        import botocore.exceptions as of

        said = server_text(str(error), self.secrets)
        code = _code(error)
        if code:
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))  # type: ignore[attr-defined]
            reason = _TRIED_AGAIN.get(code) or _ENDS.get(code)
            by_status = {401: "not_authenticated", 403: "not_permitted", 404: "not_found", 429: "throttled"}
            return reason or by_status.get(
                status, "server_error" if status >= 500 else "invalid_request"
            ), said
        if isinstance(error, (of.NoCredentialsError, of.PartialCredentialsError)):
            return "not_authenticated", "there is no access key"
        if isinstance(error, of.SSLError):
            # a connection that breaks within the handshake says nothing of certificates
            return "tls_failed" if "certificate" in said.lower() else "connection_lost", said
        if isinstance(error, (of.ReadTimeoutError, of.ConnectTimeoutError)):
            return "timed_out", said
        if isinstance(error, of.EndpointConnectionError):
            return "unreachable", said
        if isinstance(error, of.HTTPClientError):
            return "connection_lost", said
        return "bad_reply", said

    def _make_client(self, options: SinkOptions, endpoint: str, keys: Sequence[str | None]) -> Any:
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise ScanError(
                "missing_library",
                "boto3 is not installed",
                tried="import boto3",
                advice="Install requirements-push.txt of the collection for the Python that runs the task.",
            ) from None
        options.tls()  # so that files that cannot be used are told by their option
        certificate = None
        if options.client_cert:
            certificate = options.client_cert
            if options.client_key:
                certificate = (options.client_cert, options.client_key)  # type: ignore[assignment]
        config = Config(
            connect_timeout=options.timeout,
            read_timeout=options.timeout,
            retries={"total_max_attempts": 1},  # what is tried again, and when, push.py decides
            s3={"addressing_style": "path"} if endpoint else {},
            client_cert=certificate,
            proxies={"https": options.proxy} if options.proxy else None,
        )
        session = boto3.session.Session(
            keys[0], keys[1], keys[2],
            region_name=options.own["region"] or options.environ.get("AWS_REGION") or "us-east-1",
        )  # fmt: skip
        verify: Any = str(Path(options.ca_cert).expanduser()) if options.ca_cert else None
        return session.client(
            "s3",
            endpoint_url=endpoint or None,
            config=config,
            verify=verify if options.validate_certs else False,
        )


def _chosen(folder: Path, patterns: Sequence[str]) -> Iterator[str]:
    """The paths of the run's files that the patterns choose, in their order. Links are not followed."""
    found = 0
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = (Path(root) / name).relative_to(folder).as_posix()
            if path == SUMMARY_JSON or not any(fnmatchcase(path, one) for one in patterns):
                continue
            if not (Path(root) / name).is_symlink():
                found += 1
                if found > _MOST_FILES:
                    raise _bad("files", f"the patterns choose more than {_MOST_FILES} files")
                yield path


def _digests_of(run: Run) -> dict[str, str]:
    """What the files of a run must hash to, by path, where the summary that was read says so: what was swapped since is not
    written."""
    digests = {SUMMARY_JSON: run.sha256}
    for target in run.targets:
        digests[target.hdf] = target.hdf_sha256
        if target.drift:
            digests[target.drift.path] = target.drift.sha256
    return digests


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(read_own_file(path, _MAX_FILE)).hexdigest()
    except OSError as error:
        raise ScanError("bad_results", f"{path}: cannot be read: {error.strerror}", tried="push") from None


def _key_part(text: str) -> str:
    """A text in the key of an object: signs that S3 advises against become _, and nothing climbs."""
    parts = [_NO_KEY.sub("_", part) for part in text.strip("/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[:400]


def _bucket(name: str | None) -> str:
    if not name:
        raise _bad("bucket", "bucket is needed for this system")
    if not _BUCKET.fullmatch(name):
        raise _bad("bucket", f"{one_line(name, 80)!r} is not the name of a bucket")
    return name


def _lock_of(own: Mapping[str, Any]) -> tuple[str, int] | None:
    """(mode, days), or None for objects that are not locked."""
    mode, days = own["object_lock"], own["retain_days"]
    if not mode and days is None:
        return None
    if mode not in _MODES:
        raise _bad("object_lock", f"object_lock is one of {', '.join(_MODES)}, and is needed for retain_days")
    if days is None or not 1 <= days <= _MAX_DAYS:
        raise _bad("retain_days", f"object_lock needs retain_days, from 1 to {_MAX_DAYS}")
    return mode, days


def _encryption(own: Mapping[str, Any]) -> dict[str, str]:
    method, key = own["encryption"] or "", own["kms_key_id"] or ""
    if method not in ("", "AES256", "aws:kms"):
        raise _bad("encryption", "encryption is AES256 or aws:kms")
    if key and method != "aws:kms":
        raise _bad("kms_key_id", "kms_key_id belongs to encryption=aws:kms")
    given = {"ServerSideEncryption": method, "SSEKMSKeyId": key}
    return {name: value for name, value in given.items() if value}


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str((response.get("Error") or {}).get("Code") or "") if isinstance(response, dict) else ""


def _record(reason: str, message: str, tried: str) -> ErrorRecord:
    return ErrorRecord(**ScanError(reason, message, tried=tried).record())


def _bad(option: str, problem: str) -> ScanError:
    return ScanError("bad_option", problem, tried=f"reading the option {option}")


_CAUSES = {
    "not_authenticated": "The store does not know the access key, or the secret key is another one.",
    "not_permitted": "The key is not allowed to write there.",
    "not_found": "There is no such bucket.",
    "tls_failed": "The store's certificate was not accepted.",
    "unreachable": "The store could not be reached.",
}
_ADVICE = {
    "not_authenticated": "Give access_key and secret_key, or the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "not_permitted": "Allow PutObject and GetObject, with object_lock also PutObjectRetention.",
    "not_found": "Make the bucket, with object lock where object_lock is given, or correct its name.",
    "tls_failed": "Give the store's CA by ca_cert.",
    "unreachable": "Check url, proxy and firewall from the machine that runs the task.",
}

_TEXT = {"type": "str"}
_SECRET = {"type": "str", "no_log": True}
S3_SINK = SinkKind(
    "s3",
    {
        "bucket": _TEXT,
        "prefix": _TEXT,
        "region": _TEXT,
        "access_key": {"type": "str", "no_log": False},
        "secret_key": _SECRET,
        "session_token": _SECRET,
        "files": {"type": "list", "elements": "str"},
        "object_lock": {"type": "str", "choices": list(_MODES)},
        "retain_days": {"type": "int"},
        "encryption": {"type": "str", "choices": ["AES256", "aws:kms"]},
        "kms_key_id": {"type": "str", "no_log": False},
    },
    ("url", *TLS_OPTIONS, *PROXY_OPTIONS),
    S3,
)
