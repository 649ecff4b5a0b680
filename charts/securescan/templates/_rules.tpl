{{/*
What a grantor needs, as docs/manifests/ has it: tests/unit/charts/ compares them, rule by rule.
*/}}
{{- define "securescan.rules.targets" -}}
# Handed out to the scanner, for the chosen pods by name.
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
- apiGroups: [""]
  resources: [pods/exec]
  verbs: [get, create]
# To choose the pods.
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
# Patterns for namespaces, and to say of an empty one whether it exists.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list]
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [kube-system]
  verbs: [get]
# To see the Deployment behind a ReplicaSet, and the CronJob behind a Job.
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get, list]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list]
# To make, renew, find and remove the access.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [list, create, patch, delete]
{{- end }}

{{- define "securescan.rules.debug" -}}
- apiGroups: [""]
  resources: [pods/ephemeralcontainers]
  verbs: [patch]
{{- end }}

{{- define "securescan.rules.image" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [create, delete]
{{- end }}

{{- define "securescan.rules.accounts" -}}
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [list, create, patch, delete]
# The scanners' tokens.
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}

{{- define "securescan.rules.clusterId" -}}
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [kube-system]
  verbs: [get]
{{- end }}

{{/* A binding to the grantor: a dictionary of context, kind, name, namespace, roleKind, role. */}}
{{- define "securescan.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "securescan.labels" .context | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .roleKind }}
  name: {{ .role }}
subjects:
  - kind: ServiceAccount
    name: {{ include "securescan.grantor" .context }}
    namespace: {{ .context.Release.Namespace }}
{{- end }}
