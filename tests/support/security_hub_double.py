# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security Hub, as far as its published contract goes: a signed request, 100 findings and 6 MB, errors for single findings,
throttling. boto3 itself is the client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .https_server import Answer, Received

REGION, ACCOUNT, KEY = "eu-central-1", "123456789012", "AKIAEXAMPLE0000000"
_MOST, _MAX_BYTES, _MAX_FINDING = 100, 6_000_000, 240_000


@dataclass
class SecurityHubDouble:
    """Answers for a FakeHttpsServer. `findings` are the last states by Id; `refuse` are Ids that it does not import.
    The next `throttle` requests are answered with 429."""

    findings: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse: frozenset[str] = frozenset()
    throttle: int = 0
    imports: int = 0

    def __call__(self, request: Received) -> Answer:
        if f"Credential={KEY}/" not in request.headers.get("authorization", ""):
            return _error(403, "UnrecognizedClientException", "The security token is invalid.")
        if f"/{REGION}/securityhub/aws4_request" not in request.headers["authorization"]:
            return _error(403, "InvalidSignatureException", "Credential should be scoped to a valid region.")
        if self.throttle:
            self.throttle -= 1
            return _error(429, "TooManyRequestsException", "Rate exceeded")
        if (request.method, request.path) != ("POST", "/findings/import"):
            return _error(404, "ResourceNotFoundException", "no such operation")
        findings = json.loads(request.body)["Findings"]
        if not 0 < len(findings) <= _MOST or len(request.body) > _MAX_BYTES:
            return _error(400, "InvalidInputException", "Invalid number or size of findings")
        return self._import(findings)

    def _import(self, findings: list[dict[str, Any]]) -> Answer:
        self.imports += 1
        failed = []
        for finding in findings:
            if finding["AwsAccountId"] != ACCOUNT or f":{ACCOUNT}:product/" not in finding["ProductArn"]:
                failed.append(_failed(finding, "InvalidInput", "The account does not own the product"))
            elif finding["Id"] in self.refuse or len(json.dumps(finding)) > _MAX_FINDING:
                failed.append(_failed(finding, "InvalidInput", "Finding does not adhere to ASFF"))
            else:
                known = self.findings.get(finding["Id"])
                if known is None or known["UpdatedAt"] <= finding["UpdatedAt"]:
                    self.findings[finding["Id"]] = finding
        answer = {
            "FailedCount": len(failed),
            "SuccessCount": len(findings) - len(failed),
            "FailedFindings": failed,
        }
        return Answer(body=json.dumps(answer).encode(), headers={"Content-Type": "application/json"})


def _failed(finding: dict[str, Any], code: str, message: str) -> dict[str, str]:
    return {"Id": finding["Id"], "ErrorCode": code, "ErrorMessage": message}


def _error(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"Message": message, "Code": code}).encode()
    return Answer(status, body, {"Content-Type": "application/json", "x-amzn-ErrorType": code})
