{{/* Spec of an ExternalSecret. Call with (dict "root" $ "target" "name of the Secret"). */}}
{{- define "checkresult.externalSecretSpec" -}}
{{- with .root.Values.externalSecret -}}
refreshInterval: {{ .refreshInterval }}
secretStoreRef:
  name: {{ .store.name }}
  kind: {{ .store.kind }}
target:
  name: {{ $.target }}
  creationPolicy: Owner
data:
  {{- range $name, $remote := .data }}
  - secretKey: {{ $name }}
    remoteRef:
      {{- toYaml $remote | nindent 6 }}
  {{- end }}
{{- end -}}
{{- end -}}
