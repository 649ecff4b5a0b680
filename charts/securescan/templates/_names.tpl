{{/* The release's own name in the names of its objects. */}}
{{- define "securescan.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* The grantor. The guard keeps names that begin with securescan- for scanners. */}}
{{- define "securescan.grantor" -}}
grantor-{{ include "securescan.name" . }}
{{- end }}

{{- define "securescan.accounts" -}}
{{- .Values.accounts.namespace | default (printf "%s-accounts" .Release.Namespace) -}}
{{- end }}

{{- define "securescan.helpers" -}}
{{- .Values.helpers.namespace | default (printf "%s-helpers" .Release.Namespace) -}}
{{- end }}

{{- define "securescan.claim" -}}
{{- .Values.results.claim.name | default (printf "%s-results" (include "securescan.name" .)) -}}
{{- end }}

{{- define "securescan.hasClaim" -}}
{{- if or .Values.results.claim.create .Values.results.claim.name }}yes{{ end -}}
{{- end }}

{{- define "securescan.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "securescan.selector" -}}
app.kubernetes.io/name: securescan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "securescan.labels" -}}
{{ include "securescan.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: securescan.kubernetes
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* "yes" where the approach is among those that are tried: a list of the context and its name. */}}
{{- define "securescan.tries" -}}
{{- if has (index . 1) (index . 0).Values.scan.approaches }}yes{{ end -}}
{{- end }}
