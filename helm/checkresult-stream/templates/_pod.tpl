{{/* Parts that the pods of the service, the setup and the test share. They fit the restricted Pod Security Standard. */}}

{{- define "checkresult.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- if not (kindIs "invalid" .Values.runAsUser) }}
  runAsUser: {{ .Values.runAsUser }}
  runAsGroup: {{ .Values.runAsUser }}
  fsGroup: {{ .Values.runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "checkresult.container" -}}
image: {{ include "checkresult.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  privileged: false
  capabilities:
    drop: [ALL]
terminationMessagePolicy: FallbackToLogsOnError
{{- end -}}

{{/*
Labels of pods, without the version of the chart: a new chart version alone must not restart pods. Call with (dict "root" $ "component" "…").
*/}}
{{- define "checkresult.podLabels" -}}
{{ include "checkresult.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Entries of `env`: Node.js with a small heap (docs/operations.md, "Memory") and `extraEnv`. Call with (dict "root" $ "heap" …). */}}
{{- define "checkresult.nodeEnv" -}}
{{- $heap := .heap -}}
{{- $env := dict
  "NODE_OPTIONS" (printf "--max-semi-space-size=%v --max-old-space-size=%v" $heap.semiSpaceMiB $heap.oldSpaceMiB)
  "MALLOC_ARENA_MAX" "2"
  "NODE_COMPILE_CACHE" "/tmp/node-compile-cache" -}}
{{- range $name, $value := mergeOverwrite $env .root.Values.extraEnv }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Volume mounts of the service and the setup. Call with (dict "root" $ "setup" true|false). */}}
{{- define "checkresult.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if ne (include "checkresult.projections" .) "" }}
- name: files
  mountPath: /etc/checkresult
  readOnly: true
{{- end }}
{{- with .root.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "checkresult.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with include "checkresult.projections" . }}
- name: files
  projected:
    # 0440 in decimal, because YAML 1.2 does not read it as octal.
    defaultMode: 288
    sources:
      {{- . | trim | nindent 6 }}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* One source per mounted file. The file has the name of its setting. */}}
{{- define "checkresult.projections" -}}
{{- range $name, $source := include "checkresult.files" . | fromJson }}
{{- range $kind := list "secret" "configMap" }}
{{- with get $source $kind }}
- {{ $kind }}:
    name: {{ first (splitList "/" .) }}
    items:
      - key: {{ last (splitList "/" .) | quote }}
        path: {{ $name }}
{{- end }}
{{- end }}
{{- with get $source "serviceAccountToken" }}
- serviceAccountToken:
    audience: {{ .audience | quote }}
    expirationSeconds: {{ .expirationSeconds | default 3600 | int64 }}
    path: {{ $name }}
{{- end }}
{{- end }}
{{- end -}}
