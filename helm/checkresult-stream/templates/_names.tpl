{{/* Names and labels. */}}

{{- define "checkresult.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters, because suffixes are appended and a label has at most 63. */}}
{{- define "checkresult.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $chart := include "checkresult.name" . -}}
{{- $name = ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- end -}}
{{- $name | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "checkresult.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "checkresult.fullname" .) "" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* Labels for selectors, which Kubernetes does not allow to change later. Call with (dict "root" $ "component" "…"). */}}
{{- define "checkresult.selectorLabels" -}}
app.kubernetes.io/name: {{ include "checkresult.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name | trunc 63 }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "checkresult.labels" -}}
{{ include "checkresult.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Metadata of an object. Call with (dict "root" $ "component" "…"). Optional keys: "name", "suffix" (appended to the full name),
"labels", "annotations", "namespace".
*/}}
{{- define "checkresult.metadata" -}}
name: {{ with .name }}{{ . }}{{ else }}{{ include "checkresult.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}{{ end }}
namespace: {{ .namespace | default .root.Release.Namespace }}
labels:
  {{- include "checkresult.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "checkresult.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Annotations that credential webhooks look for, on the ServiceAccounts of the service and of the setup Jobs. */}}
{{- define "checkresult.serviceAccountAnnotations" -}}
{{- with .Values.rrsa.roleName }}
pod-identity.alibabacloud.com/role-name: {{ . | quote }}
{{- end }}
{{- with .Values.serviceAccount.annotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
