{{- include "securescan.refusals" . }}
{{- $name := include "securescan.name" . }}
{{- if .Values.cluster.inCluster }}
# The pods of scans mount a token of it; nothing else does.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "securescan.grantor" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- if .Values.rbac.create }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}-grantor-targets
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
rules:
  {{- include "securescan.rules.targets" . | nindent 2 }}
  {{- if include "securescan.tries" (list . "debug") }}
  # An ephemeral container beside the target.
  {{- include "securescan.rules.debug" . | nindent 2 }}
  {{- end }}
{{- if .Values.rbac.wholeCluster }}
---
{{ include "securescan.binding" (dict "context" . "kind" "ClusterRoleBinding" "name" (printf "%s-grantor-targets" $name)
    "namespace" "" "roleKind" "ClusterRole" "role" (printf "%s-grantor-targets" $name)) }}
{{- else }}
{{- $bound := .Values.scan.namespaces }}
{{- if include "securescan.tries" (list . "image") }}
{{- $bound = append $bound (include "securescan.helpers" .) }}
{{- end }}
{{- range $bound }}
---
{{ include "securescan.binding" (dict "context" $ "kind" "RoleBinding" "name" (printf "%s-grantor-targets" $name)
    "namespace" . "roleKind" "ClusterRole" "role" (printf "%s-grantor-targets" $name)) }}
{{- end }}
{{- if .Values.rbac.clusterId }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}-cluster-id
  namespace: kube-system
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
rules:
  {{- include "securescan.rules.clusterId" . | nindent 2 }}
---
{{ include "securescan.binding" (dict "context" . "kind" "RoleBinding" "name" (printf "%s-cluster-id" $name)
    "namespace" "kube-system" "roleKind" "Role" "role" (printf "%s-cluster-id" $name)) }}
{{- end }}
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}-grantor-accounts
  namespace: {{ include "securescan.accounts" . }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
rules:
  {{- include "securescan.rules.accounts" . | nindent 2 }}
---
{{ include "securescan.binding" (dict "context" . "kind" "RoleBinding" "name" (printf "%s-grantor-accounts" $name)
    "namespace" (include "securescan.accounts" .) "roleKind" "Role" "role" (printf "%s-grantor-accounts" $name)) }}
{{- if include "securescan.tries" (list . "image") }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}-grantor-image
  namespace: {{ include "securescan.helpers" . }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
rules:
  # Handed out to the scanner: make helper pods, which RBAC cannot limit by name, and delete them again, by name.
  {{- include "securescan.rules.image" . | nindent 2 }}
---
{{ include "securescan.binding" (dict "context" . "kind" "RoleBinding" "name" (printf "%s-grantor-image" $name)
    "namespace" (include "securescan.helpers" .) "roleKind" "Role" "role" (printf "%s-grantor-image" $name)) }}
{{- end }}
{{- end }}
{{- end }}
