#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_push
short_description: Send runs to another system
version_added: 0.1.0
description:
  - Sends a finished run, or the runs of a fleet run, to a system such as Heimdall, DefectDojo, eMASS or a server of your own.
  - What is to be sent is put into an outbox beside the runs first, and leaves it when the system has it. What cannot be sent
    stays there, and the next push sends it first and in order. A push that was killed goes on with the same command; nothing
    is lost, and nothing is sent twice where the system can tell.
  - The guide on sinks has a section for each system, with the options that it has. An option that the system does not have
    is an error.
options:
  sink:
    description:
      - Options of this module as one dictionary, as the variables of the roles have them. What stands in it cannot be given beside it, but for
        O(state).
    type: dict
  system:
    description: The kind of system. It is needed.
    type: str
    choices: [defectdojo, elastic, emass, heimdall, kafka, nats, netbox, openreports, otlp, s3, securityhub, splunk, syslog, webhook]
  state:
    description:
      - V(present) puts the run into the outbox, once, and sends all that is there.
      - V(flush) sends only what is in the outbox of the run's cluster, also what the system refused before.
    type: str
    choices: [present, flush]
    default: present
  run_dir:
    description: Folder of a run or of a fleet run.
    type: path
    required: true
  url:
    description: URL of the system, such as C(https://heimdall.example.com). A credential in it is refused.
    type: str
  token:
    description: The token or API key by which the system knows us.
    type: str
  validate_certs:
    description: Whether the system's certificate is checked, as it is by default.
    type: bool
  batch_items:
    description: The most items of one batch, from 1 to 100000. Never more than the system takes.
    type: int
  batch_bytes:
    description: The most bytes of one batch, from 1024 to 268435456. Never more than the system takes. A larger item is
      sent alone.
    type: int
  retries:
    description:
      - How often a batch is tried again, from 0 to 100, before the rest is kept for the next push. The wait doubles each time
        from 1 second to at most 60, less a random part; where the system asks for a longer wait, it gets it, up to 300
        seconds.
    type: int
    default: 5
  deadline:
    description: Seconds for the whole push, from 1 to 604800. What is not sent by then is kept for the next push.
    type: int
    default: 900
  spool_dir:
    description:
      - Folder of the outboxes. Without it they lie in C(.push) beside the runs of each cluster. It must outlive the job, or what
        is kept is lost.
    type: path
  format:
    description: The format of events, for systems that take findings as events. The guide on sinks has the default of each.
    type: str
  statuses:
    description:
      - Only findings of these statuses are sent, C(passed), C(failed), C(not_reviewed), C(not_applicable), C(profile_error)
        or C(not_scanned). A failure that was sent is also closed where its new status is not among them.
    type: list
    elements: str
  min_severity:
    description: Only findings of this severity or a worse one are sent, C(critical), C(high), C(medium), C(low) or C(none).
    type: str
  only_changed:
    description: Only findings that differ from what was delivered last are sent, and those that are closed.
    type: bool
  groups:
    description:
      - The groups of V(heimdall) that get the evaluations, by name for who logs in, by number with an API key. The key of a group needs none.
    type: list
    elements: str
  tags:
    description: Tags of each evaluation of V(heimdall), beside C(run) with the run's id.
    type: list
    elements: str
  public:
    description: Whether everybody on the V(heimdall) server can see the evaluations. By default nobody else does.
    type: bool
  product:
    description: The product in V(defectdojo) that gets the findings. By default one with the name of the cluster.
    type: str
  product_type:
    description: The type of O(product), where the product is made. By default C(Kubernetes).
    type: str
  engagement:
    description: The engagement of O(product). By default C(securescan.kubernetes).
    type: str
  system_id:
    description: The number of the system in V(emass), from 1 to 2147483647.
    type: int
  user_uid:
    description: The user of V(emass) to whom the API key in O(token) belongs.
    type: str
  benchmarks:
    description: What a profile is called in V(emass), by the profile's name, such as C(RHEL_8_STIG). Other profiles keep their names.
    type: dict
  ack:
    description:
      - Whether V(splunk) is asked if its indexers have the events, as it is by default. The token must have indexer
        acknowledgement on; with V(false) it must have it off.
    type: bool
  channel:
    description: The channel of the acknowledgement of V(splunk), a UUID. Each push has one of its own without it.
    type: str
  source:
    description: The source of events in V(splunk). By default C(securescan.kubernetes).
    type: str
  sourcetype:
    description: The source type of events in V(splunk). By default C(securescan:) and the format; of V(hdf_splunk) C(HDF2Splunk).
    type: str
  index:
    description:
      - The index of V(splunk); without it, that of the token.
      - The data stream or index of V(elastic). By default C(logs-securescan.compliance-default).
    type: str
  facility:
    description: The facility of messages of V(syslog), such as C(local0), which is the default, or C(audit).
    type: str
  app_name:
    description: The name of the application in messages of V(syslog). By default C(securescan).
    type: str
  max_message:
    description:
      - The most bytes of a message of V(syslog), from 2048 to 1048576; by default 8192. In place of a longer text a short one is
        sent, which says so.
    type: int
  region:
    description: The AWS region of V(securityhub), such as C(eu-central-1).
    type: str
  account:
    description: The AWS account of V(securityhub), 12 digits.
    type: str
  product_arn:
    description: The product under which V(securityhub) keeps the findings. By default the account's own C(product/ACCOUNT/default).
    type: str
  bucket:
    description: The bucket of V(s3).
    type: str
  prefix:
    description: What the keys of V(s3) begin with, before cluster and run.
    type: str
  access_key:
    description: The access key of V(s3). By default C(AWS_ACCESS_KEY_ID) of the task's environment.
    type: str
  secret_key:
    description: The secret of O(access_key). By default C(AWS_SECRET_ACCESS_KEY) of the task's environment.
    type: str
  session_token:
    description: The session of O(access_key), where it is a temporary one. By default C(AWS_SESSION_TOKEN) of the task's environment.
    type: str
  files:
    description: Patterns of the files of a run that V(s3) gets, by their paths in the run's folder. The guide has the default.
    type: list
    elements: str
  object_lock:
    description: How long V(s3) keeps an object also against its owner (V(compliance)), or against all but some (V(governance)).
    type: str
    choices: [governance, compliance]
  retain_days:
    description: For how many days O(object_lock) holds, from 1 to 36500.
    type: int
  encryption:
    description: How V(s3) encrypts objects.
    type: str
    choices: [AES256, 'aws:kms']
  kms_key_id:
    description: The key for O(encryption=aws:kms).
    type: str
  brokers:
    description: The first brokers of V(kafka), C(host:port).
    type: list
    elements: str
  topic:
    description: The topic of V(kafka). The guide has the default.
    type: str
  sasl_mechanism:
    description: How O(username) and O(password) are shown to V(kafka).
    type: str
    choices: [PLAIN, SCRAM-SHA-256, SCRAM-SHA-512]
  subject:
    description: The subject of V(nats). The guide has the default.
    type: str
  stream:
    description: The stream of V(nats) that must take the messages.
    type: str
  configuration_items:
    description:
      - The file that says which object of V(netbox) a place is. It is needed for V(netbox). The guide on configuration items describes it.
    type: path
  object_type:
    description: What the items of O(configuration_items) are in V(netbox). By default V(virtual_machine).
    type: str
    choices: [virtual_machine, cluster, device]
  make_fields:
    description: Whether the custom fields are made in V(netbox) where it has none. By default they are not, and nothing else ever is.
    type: bool
  kubeconfig:
    description: The kubeconfig of the identity that writes reports for V(openreports).
    type: path
  context:
    description: The context of O(kubeconfig).
    type: str
  api:
    description: Which kind of report V(openreports) writes. V(auto) takes what the cluster has.
    type: str
    choices: [auto, openreports, wgpolicyk8s]
  results:
    description: Whether reports of V(openreports) have V(failures) only, or V(all) results that fit.
    type: str
    choices: [failures, all]
  content:
    description: What V(webhook) gets, V(findings) in O(format), or the HDF V(documents) of the containers. By default V(findings).
    type: str
    choices: [findings, documents]
  signing_secret:
    description:
      - The secret by which batches for V(webhook) are signed (HMAC-SHA256, as Standard Webhooks has it). After C(whsec_) it
        is Base64, else it is taken as it is.
    type: str
  trusted_keys:
    description:
      - Public keys, as files on the controller or as texts in PEM. The runs must be signed by one of them, else nothing is sent; see
        M(securescan.kubernetes.scan_sign).
    type: list
    elements: str
  require_signature:
    description: Whether O(trusted_keys) must be given.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Says what would go where, with numbers and bytes. It asks the system nothing, and writes nothing.
  diff_mode:
    support: full
    details: Lists the first 200 items that come into the outbox.
  idempotent:
    support: full
    details: A run is sent once to each destination. What the system refused is sent again.
seealso:
  - module: securescan.kubernetes.scan_report
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.system
  - securescan.kubernetes.attributes
"""

EXAMPLES = r"""
- name: Send a run to Heimdall
  securescan.kubernetes.scan_push:
    system: heimdall
    run_dir: "{{ scan.run_dir }}"
    url: https://heimdall.example.com
    token: "{{ vault_heimdall_api_key }}"

- name: Tell a server of your own what has changed since the last push
  securescan.kubernetes.scan_push:
    system: webhook
    run_dir: /var/lib/scans/_fleet/latest
    url: https://hooks.example.com/scans
    signing_secret: "{{ vault_webhook_secret }}"
    statuses: [failed, profile_error, not_scanned]
    only_changed: true

- name: Send what is left over from the time when the system was down
  securescan.kubernetes.scan_push:
    system: heimdall
    state: flush
    run_dir: /var/lib/scans/prod-eu/latest
    url: https://heimdall.example.com
    token: "{{ vault_heimdall_api_key }}"
"""

RETURN = r"""
system:
  description: The kind of system.
  returned: always
  type: str
  sample: heimdall
destination:
  description: Which system it is. There is no credential in it.
  returned: always
  type: str
  sample: https://heimdall.example.com
queued:
  description: How many items came into the outbox; in check mode, how many would.
  returned: always
  type: int
  sample: 42
delivered:
  description: How many items the system took, of this run and of what was left from before.
  returned: always
  type: int
  sample: 42
already_there:
  description: How many items the system had already.
  returned: always
  type: int
  sample: 0
refused:
  description: How many items the system does not take. The first 20 of each cluster are in RV(deliveries) with the reasons.
  returned: always
  type: int
  sample: 0
spooled:
  description: How many items are kept for the next push.
  returned: always
  type: int
  sample: 0
spooled_bytes:
  description: Their bytes.
  returned: always
  type: int
  sample: 0
requests:
  description: How many requests were sent to the system.
  returned: always
  type: int
  sample: 2
deliveries:
  description: The same for each cluster, for the first 50. C(deliveries.json) beside the outboxes has the last one of each.
  returned: always
  type: list
  elements: dict
  contains:
    refusals:
      description: The first 20 items that the system does not take, each with its subject, its run and the error.
      type: list
      elements: dict
    error:
      description: Why the push ended before its end, or null.
      type: dict
  sample:
    - system: heimdall
      destination: https://heimdall.example.com
      cluster: prod-eu
      run_id: 20261123t130000-1f9a2c
      queued: 42
      queued_bytes: 11844000
      activities: {created: 42}
      delivered: 42
      already_there: 0
      refused: 0
      refusals: []
      spooled: 0
      spooled_bytes: 0
      started: "2026-11-23T13:05:00Z"
      duration: 1.9
      requests: 2
      error: null
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-861, reason: push_incomplete, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.push import scan_push_spec
from ..module_utils.tasks.push import run_scan_push


def main() -> None:
    run_as_module(scan_push_spec(), run_scan_push)


if __name__ == "__main__":
    main()
