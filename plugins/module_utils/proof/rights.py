# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights over all objects of a kind that no scanner needs. It holds its own by the names of its pods, and must be refused them
without a name.
"""

from __future__ import annotations

from ..preflight.denied_rights import read_rights

IN_NAMESPACE = read_rights(
    """
* *.*
get pods
list pods
watch pods
create pods
update pods
patch pods
delete pods
deletecollection pods
get pods/exec
create pods/exec
get pods/attach
create pods/attach
get pods/portforward
create pods/portforward
get pods/proxy
get pods/log
update pods/ephemeralcontainers
patch pods/ephemeralcontainers
patch pods/resize
create pods/eviction
create pods/binding
get secrets
list secrets
watch secrets
create secrets
list configmaps
list events
get services/proxy
create serviceaccounts
patch serviceaccounts
create serviceaccounts/token
list persistentvolumeclaims
create jobs.batch
patch deployments.apps
patch daemonsets.apps
create roles.rbac.authorization.k8s.io
patch roles.rbac.authorization.k8s.io
bind roles.rbac.authorization.k8s.io
escalate roles.rbac.authorization.k8s.io
create rolebindings.rbac.authorization.k8s.io
patch rolebindings.rbac.authorization.k8s.io
""".strip().splitlines()
)

IN_CLUSTER = read_rights(
    """
impersonate users
impersonate groups
impersonate serviceaccounts
list namespaces
create namespaces
patch namespaces
list nodes
get nodes/proxy
create nodes/proxy
list persistentvolumes
create clusterroles.rbac.authorization.k8s.io
bind clusterroles.rbac.authorization.k8s.io
escalate clusterroles.rbac.authorization.k8s.io
create clusterrolebindings.rbac.authorization.k8s.io
create tokenreviews.authentication.k8s.io
create subjectaccessreviews.authorization.k8s.io
create certificatesigningrequests.certificates.k8s.io
delete validatingwebhookconfigurations.admissionregistration.k8s.io
delete validatingadmissionpolicies.admissionregistration.k8s.io
""".strip().splitlines()
)
