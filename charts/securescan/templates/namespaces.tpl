{{- if and .Values.cluster.inCluster .Values.accounts.create }}
{{- $accounts := include "securescan.accounts" . }}
# For the ServiceAccounts of scans. The quota keeps it empty of pods and Secrets, which could hold a scanner's token.
apiVersion: v1
kind: Namespace
metadata:
  name: {{ $accounts }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: {{ include "securescan.name" . }}-no-pods
  namespace: {{ $accounts }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
spec:
  hard:
    pods: "0"
    secrets: "0"
{{- end }}
{{- if and .Values.cluster.inCluster .Values.helpers.create (include "securescan.tries" (list . "image")) }}
{{- $helpers := include "securescan.helpers" . }}
---
# For the helper pods of the approach image. RBAC cannot hold them to names; Pod Security keeps any privilege from them.
apiVersion: v1
kind: Namespace
metadata:
  name: {{ $helpers }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: {{ include "securescan.name" . }}-helpers
  namespace: {{ $helpers }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
spec:
  hard:
    pods: {{ .Values.helpers.pods | quote }}
{{- end }}
