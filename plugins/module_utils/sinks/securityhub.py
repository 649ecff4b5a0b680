# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Security Hub: findings in its own format, by BatchImportFindings.

A finding's Id is its fingerprint, so a second attempt changes nothing, and a finding that is fixed is updated.

The credential is `username` (access key id) and `password` (secret access key), or what boto3 finds by itself: the environment, a
profile, the role of the machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ScanError
from ..network.http_client import split_url
from ..reports.asff import ASFF, Account
from ..reports.event import Event, EventSource
from ..results.target_record import ErrorRecord
from ..safe_text import server_text
from ..strict_json import load_own_json
from .answers import bad_option, refused
from .item import Item, Outcome
from .pushed import Pushed
from .sink import Limits, Sink, SinkKind
from .sink_options import FINDING_OPTIONS, HTTP_OPTIONS, LOGIN_OPTIONS, SinkOptions

# Of the service: 100 findings and 6 MB a request.
_LIMITS = Limits(items=100, bytes=5 * 1024 * 1024)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]{2,10}){1,3}-\d")
_ACCOUNT = re.compile(r"\d{12}")
_PRODUCT = re.compile(r"arn:aws[a-z-]*:securityhub:[a-z0-9-]*:\d{0,12}:product/[!-~]{1,500}")
_TRIED = "BatchImportFindings"
# The service's codes and the libraries', by what they mean for us. Others say that the request itself is wrong.
_REASONS = {
    "InvalidAccessException": "not_permitted",
    "AccessDeniedException": "not_permitted",
    "UnrecognizedClientException": "not_authenticated",
    "InvalidClientTokenId": "not_authenticated",
    "InvalidSignatureException": "not_authenticated",
    "SignatureDoesNotMatch": "not_authenticated",
    "ExpiredTokenException": "not_authenticated",
    "MissingAuthenticationToken": "not_authenticated",
    "LimitExceededException": "throttled",
    "Throttling": "throttled",
    "ThrottlingException": "throttled",
    "TooManyRequestsException": "throttled",
    "InternalException": "server_error",
    "InternalFailure": "server_error",
    "InternalError": "server_error",
    "ServiceUnavailable": "server_error",
}


class SecurityHub(Sink):
    """Imports findings into one account and region."""

    def __init__(self, options: SinkOptions) -> None:
        self._library = _library()
        self._account = _account(options.own)
        if bool(options.username) != bool(options.password):
            raise bad_option("username", "username and password belong together")
        self.secrets = (options.password,) if options.password else ()
        self._client = self._make_client(options)
        self._requests = 0
        self.destination = f"securityhub {self._account.region} {self._account.product_arn}"
        self.limits = _LIMITS

    @property
    def requests(self) -> int:
        return self._requests

    def items(self, pushed: Pushed) -> Iterator[Item]:
        source = EventSource.of(pushed.run)
        for finding in pushed.findings():
            event = Event(finding.target, finding.verdict)
            value = ASFF.encode(source, event.target, event.verdict, finding.activity)
            value.update(self._account.fields)
            yield finding.item(source.run_id, json.dumps(value, separators=(",", ":")).encode("ascii"))

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        """The service takes each Id once in a request: a later state of a finding goes into a later one."""
        outcomes: list[Outcome] = []
        for part in _without_doubles(batch):
            outcomes += self._send(part)
        return outcomes

    def _send(self, batch: Sequence[tuple[str, dict[str, Any]]]) -> list[Outcome]:
        self._requests += 1
        try:
            answer = self._client.batch_import_findings(Findings=[finding for _id, finding in batch])
        except self._library.errors as error:
            raise self._error(error) from None
        failed = {str(one.get("Id")): one for one in answer.get("FailedFindings") or ()}
        if len(failed) != answer.get("FailedCount"):
            raise ScanError("bad_reply", "the service does not say which findings failed", tried=_TRIED)
        return [self._refusal(failed[mark]) if mark in failed else None for mark, _finding in batch]

    def _refusal(self, failed: Mapping[str, Any]) -> ErrorRecord:
        code = str(failed.get("ErrorCode"))
        reason = _REASONS.get(code, "invalid_request")
        return refused(reason, f"{code}: {failed.get('ErrorMessage')}", _TRIED, self.secrets)

    def _error(self, error: Exception) -> ScanError:
        exceptions = self._library.exceptions
        code, status = "", 0
        if isinstance(error, exceptions.ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        reason = _REASONS.get(code, "")
        if not reason:
            reason = (
                "throttled"
                if status == 429
                else "server_error"
                if status >= 500
                else "not_permitted"
                if status in (401, 403)
                else "invalid_request"
                if status
                else self._connection_reason(error)
            )
        return ScanError(
            reason,
            server_text(str(error), self.secrets),
            tried=_TRIED,
            cause="AWS or the way to it did not take the request.",
            advice="Check region, account and the identity: it needs BatchImportFindings, and Security Hub must be on.",
        )

    def _connection_reason(self, error: Exception) -> str:
        exceptions = self._library.exceptions
        kinds = (
            ((exceptions.NoCredentialsError, exceptions.PartialCredentialsError), "not_authenticated"),
            ((exceptions.ParamValidationError,), "invalid_request"),
            ((exceptions.SSLError,), "tls_failed"),
            ((exceptions.ReadTimeoutError,), "timed_out"),
            ((exceptions.ConnectTimeoutError, exceptions.EndpointConnectionError), "unreachable"),
            ((exceptions.ConnectionClosedError, exceptions.HTTPClientError), "connection_lost"),
        )
        return next((reason for some, reason in kinds if isinstance(error, some)), "bad_reply")

    def _make_client(self, options: SinkOptions) -> Any:
        if options.url:
            split_url(options.url)
        options.tls()  # the files are refused here, and not at the first request
        certificate = (options.client_cert, options.client_key or options.client_cert)
        config = self._library.config(
            connect_timeout=options.timeout,
            read_timeout=options.timeout,
            retries={"total_max_attempts": 1},
            user_agent_extra="securescan.kubernetes",
            **({"client_cert": certificate} if options.client_cert else {}),
            **({"proxies": {"https": options.proxy}} if options.proxy else {}),
        )
        login = {"aws_access_key_id": options.username, "aws_secret_access_key": options.password}
        try:
            return self._library.session().client(
                "securityhub",
                region_name=self._account.region,
                endpoint_url=options.url or None,
                verify=(options.ca_cert or True) if options.validate_certs else False,
                config=config,
                **(login if options.username else {}),
            )
        except (*self._library.errors, ValueError) as error:
            raise bad_option("url", server_text(str(error), self.secrets)) from None

    def close(self) -> None:
        self._client.close()


def _without_doubles(batch: Sequence[Item]) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    part: dict[str, dict[str, Any]] = {}
    for item in batch:
        finding = load_own_json(item.body)
        if finding["Id"] in part:
            yield list(part.items())
            part = {}
        part[finding["Id"]] = finding
    yield list(part.items())


def _account(own: Mapping[str, Any]) -> Account:
    """:raises ScanError: bad_option"""
    region, number = str(own.get("region") or ""), str(own.get("account") or "")
    if not _REGION.fullmatch(region):
        raise bad_option("region", "region is needed for this system, such as eu-central-1")
    if not _ACCOUNT.fullmatch(number):
        raise bad_option("account", "account is needed for this system: the 12 digits of the AWS account")
    partition = (
        "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    )
    product = str(
        own.get("product_arn") or f"arn:{partition}:securityhub:{region}:{number}:product/{number}/default"
    )
    if not _PRODUCT.fullmatch(product):
        raise bad_option("product_arn", "product_arn is not the ARN of a product of Security Hub")
    return Account(number, region, product)


class _Library:
    """What is needed of boto3."""

    def __init__(self) -> None:
        import boto3.session
        import botocore.exceptions
        from botocore.config import Config

        self.session: Any = boto3.session.Session
        self.config: Any = Config
        self.exceptions: Any = botocore.exceptions
        self.errors = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


def _library() -> _Library:
    """:raises ScanError: missing_library"""
    try:
        return _Library()
    except ImportError as error:
        raise ScanError(
            "missing_library",
            f"sending to Security Hub needs the Python package boto3 ({error})",
            tried="importing boto3",
            advice="Install what requirements-push.txt of the collection lists, for the Python that runs the task.",
        ) from None


SECURITYHUB = SinkKind(
    "securityhub",
    {"region": {"type": "str"}, "account": {"type": "str"}, "product_arn": {"type": "str"}},
    (*HTTP_OPTIONS, *LOGIN_OPTIONS, *FINDING_OPTIONS),
    SecurityHub,
)
