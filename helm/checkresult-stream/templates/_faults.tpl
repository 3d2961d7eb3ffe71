{{/*
What cannot work, found before anything is installed: a list of sentences, as {"faults": […]} in JSON. Each says what is
wrong, what is expected, and names the values.
*/}}
{{- define "checkresult.faults" -}}
{{- $faults := concat
  (include "checkresult.settingFaults" . | fromJson).faults
  (include "checkresult.credentialFaults" . | fromJson).faults
  (include "checkresult.secretFaults" . | fromJson).faults
  (include "checkresult.scalingFaults" . | fromJson).faults
  (include "checkresult.podFaults" . | fromJson).faults
  (include "checkresult.objectFaults" . | fromJson).faults -}}
{{- dict "faults" $faults | toJson -}}
{{- end -}}

{{- define "checkresult.settingFaults" -}}
{{- $faults := list -}}
{{- $facts := include "checkresult.facts" . | fromJson -}}
{{- range $name, $expectation := $facts.required -}}
{{- if not (get $.Values.settings $name) -}}
{{- $faults = append $faults (printf "settings.%s is not set: %s" $name $expectation) -}}
{{- end -}}
{{- end -}}
{{- range $name := keys .Values.extraEnv | sortAlpha -}}
{{- if has (trimSuffix "_FILE" $name) $facts.names | or (has $name $facts.names) -}}
{{- $faults = append $faults (printf "extraEnv.%s is a setting of the service: expected it under settings, secrets or files, where it is checked." $name) -}}
{{- end -}}
{{- end -}}
{{- if eq (include "checkresult.setting" (dict "root" . "name" "OPS_PORT")) "0" -}}
{{- $faults = append $faults "settings.OPS_PORT is 0, which takes any free port: expected one from 1 to 65535, since probes and Prometheus must know it." -}}
{{- end -}}
{{- $files := include "checkresult.files" (dict "root" . "setup" false) | fromJson -}}
{{- if and (eq (include "checkresult.setting" (dict "root" . "name" "CHECKRESULT_QUOTA")) "redis") (not (hasKey $files "REDIS_URL")) -}}
{{- $faults = append $faults "settings.CHECKRESULT_QUOTA is redis, but its address is not given: expected secrets.REDIS_URL as SECRET/KEY." -}}
{{- end -}}
{{- $host := include "checkresult.setting" (dict "root" . "name" "OPS_HOST") -}}
{{- if or (hasPrefix "127." $host) (has $host (list "localhost" "::1")) -}}
{{- $faults = append $faults (printf "settings.OPS_HOST is %s: expected an address that probes and Prometheus reach from outside the pod, for example 0.0.0.0." $host) -}}
{{- end -}}
{{- dict "faults" $faults | toJson -}}
{{- end -}}

{{- define "checkresult.credentialFaults" -}}
{{- $faults := list -}}
{{- $settings := .Values.settings -}}
{{- $files := include "checkresult.files" (dict "root" . "setup" false) | fromJson -}}
{{- $key := hasKey $files "ALIBABA_CLOUD_ACCESS_KEY_ID" -}}
{{- $secret := hasKey $files "ALIBABA_CLOUD_ACCESS_KEY_SECRET" -}}
{{- $role := and $settings.ALIBABA_CLOUD_ROLE_ARN true -}}
{{- $provider := and $settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN true -}}
{{- $ways := list -}}
{{- if or $key $secret -}}{{- $ways = append $ways "an access key" -}}{{- end -}}
{{- if .Values.rrsa.roleName -}}{{- $ways = append $ways "rrsa.roleName" -}}{{- end -}}
{{- if or $role $provider -}}{{- $ways = append $ways "settings.ALIBABA_CLOUD_ROLE_ARN" -}}{{- end -}}
{{- if $settings.ALIBABA_CLOUD_PROFILE -}}{{- $ways = append $ways "settings.ALIBABA_CLOUD_PROFILE" -}}{{- end -}}
{{- if $settings.ALIBABA_CLOUD_ECS_METADATA -}}{{- $ways = append $ways "settings.ALIBABA_CLOUD_ECS_METADATA" -}}{{- end -}}
{{- if hasKey $files "ALIBABA_CLOUD_CREDENTIALS_URI" -}}{{- $ways = append $ways "ALIBABA_CLOUD_CREDENTIALS_URI" -}}{{- end -}}
{{- if not $ways -}}
{{- $faults = append $faults "No Alibaba Cloud credentials are set: expected an access key (secrets.ALIBABA_CLOUD_ACCESS_KEY_ID and secrets.ALIBABA_CLOUD_ACCESS_KEY_SECRET, each as SECRET/KEY) or a role (rrsa.roleName, or settings.ALIBABA_CLOUD_ROLE_ARN and settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN)." -}}
{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- $faults = append $faults (printf "Credentials come by one way only, but %s are set: expected one of them." (join " and " $ways)) -}}
{{- end -}}
{{- if ne $key $secret -}}
{{- $faults = append $faults "Of the access key only one half is set: expected ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, both under secrets or in externalSecret.data." -}}
{{- end -}}
{{- if ne (toString $role) (toString $provider) -}}
{{- if or $role $provider -}}
{{- $faults = append $faults "A role by OIDC needs both settings.ALIBABA_CLOUD_ROLE_ARN and settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN: expected both, or rrsa.roleName instead." -}}
{{- end -}}
{{- end -}}
{{- dict "faults" $faults | toJson -}}
{{- end -}}

{{- define "checkresult.secretFaults" -}}
{{- $faults := list -}}
{{- with .Values.externalSecret -}}
{{- if and .enabled (not .store.name) -}}
{{- $faults = append $faults "externalSecret.store.name is not set: expected the name of a SecretStore, or of a ClusterSecretStore with externalSecret.store.kind." -}}
{{- end -}}
{{- if and .enabled (not .data) -}}
{{- $faults = append $faults "externalSecret.data is empty: expected what the store has for a secret, for example externalSecret.data.ALIBABA_CLOUD_ACCESS_KEY_ID.key." -}}
{{- end -}}
{{- if and .data (not .enabled) -}}
{{- $faults = append $faults "externalSecret.data is given, but externalSecret.enabled is false: expected externalSecret.enabled=true." -}}
{{- end -}}
{{- if .enabled -}}
{{- range $name := keys .data | sortAlpha -}}
{{- range $where := list "secrets" "files" -}}
{{- if hasKey (get $.Values $where) $name -}}
{{- $faults = append $faults (printf "%s is given twice, by %s and by externalSecret.data: expected one of them." $name $where) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "faults" $faults | toJson -}}
{{- end -}}

{{- define "checkresult.scalingFaults" -}}
{{- $faults := list -}}
{{- with .Values.autoscaling -}}
{{- if ne .type "none" -}}
{{- $most := int .maxReplicas -}}
{{- if gt (int .minReplicas) $most -}}
{{- $faults = append $faults (printf "autoscaling.minReplicas is %d, but autoscaling.maxReplicas is %d: expected no more at least than at most." (int .minReplicas) $most) -}}
{{- end -}}
{{- if gt $most (int $.Values.partitions) -}}
{{- $faults = append $faults (printf "autoscaling.maxReplicas is %d, but the input topic has %d partitions: expected no more replicas than partitions, since the others would have nothing to read." $most (int $.Values.partitions)) -}}
{{- end -}}
{{- $qps := include "checkresult.setting" (dict "root" $ "name" "CHECKRESULT_QPS") -}}
{{- if and (ne $qps "unlimited") (gt $most (int $qps)) -}}
{{- $faults = append $faults (printf "autoscaling.maxReplicas is %d, but settings.CHECKRESULT_QPS is %s: expected no more replicas than the quota has permits, since the others would have none." $most $qps) -}}
{{- end -}}
{{- end -}}
{{- $mechanism := include "checkresult.setting" (dict "root" $ "name" "KAFKA_SASL_MECHANISM") -}}
{{- $files := include "checkresult.files" (dict "root" $ "setup" false) | fromJson -}}
{{- if and (eq .type "keda") (not .keda.authenticationRef.name) -}}
{{- if and (eq $mechanism "oauthbearer") (hasKey $files "KAFKA_SASL_OAUTH_TOKEN_FILE") -}}
{{- $faults = append $faults "KEDA cannot log in at Kafka with a token from a file: expected a TriggerAuthentication of your own as autoscaling.keda.authenticationRef.name." -}}
{{- end -}}
{{- range $name, $source := $files -}}
{{- if and (hasPrefix "KAFKA_" $name) (not $source.secret) (not $source.configMap) (ne $name "KAFKA_SASL_OAUTH_TOKEN_FILE") -}}
{{- $faults = append $faults (printf "KEDA cannot read files.%s out of the pod: expected it as a key of a Secret or ConfigMap, or a TriggerAuthentication of your own as autoscaling.keda.authenticationRef.name." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "faults" $faults | toJson -}}
{{- end -}}

{{- define "checkresult.podFaults" -}}
{{- $faults := list -}}
{{- with .Values.image -}}
{{- if and (eq .tag "latest") (not .digest) -}}
{{- $faults = append $faults "image.tag is latest, which is another image tomorrow: expected a version, or better image.digest." -}}
{{- end -}}
{{- end -}}
{{- $least := include "checkresult.leastGrace" . | int -}}
{{- $grace := .Values.terminationGracePeriodSeconds -}}
{{- if and (not (kindIs "invalid" $grace)) (lt (int $grace) $least) -}}
{{- $deadline := include "checkresult.setting" (dict "root" . "name" "SHUTDOWN_DEADLINE") -}}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds is %d, but the service may take SHUTDOWN_DEADLINE=%s to stop: expected at least %d, or null." (int $grace) $deadline $least) -}}
{{- end -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- $unit := regexFind "(Mi|Gi)$" $limit -}}
{{- if $unit -}}
{{- $mib := mul (trimSuffix $unit $limit | float64) (ternary 1024 1 (eq $unit "Gi")) -}}
{{- $needed := add .Values.heap.oldSpaceMiB 128 -}}
{{- if lt $mib $needed -}}
{{- $faults = append $faults (printf "resources.limits.memory is %s, but heap.oldSpaceMiB is %d: expected at least %dMi, 128 beside the heap." $limit (int .Values.heap.oldSpaceMiB) $needed) -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- $faults = append $faults "serviceAccount.create is false, but serviceAccount.name is not set: expected the name of a ServiceAccount that is there." -}}
{{- end -}}
{{- dict "faults" $faults | toJson -}}
{{- end -}}

{{- define "checkresult.objectFaults" -}}
{{- $faults := list -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- $faults = append $faults "podMonitor.enabled and serviceMonitor.enabled are both true, and everything would be counted twice: expected one of them." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.service.enabled) -}}
{{- $faults = append $faults "serviceMonitor.enabled is true, but service.enabled is false: expected service.enabled=true, or podMonitor.enabled instead." -}}
{{- end -}}
{{- with .Values.podDisruptionBudget -}}
{{- if and .enabled (not (kindIs "invalid" .minAvailable)) (not (kindIs "invalid" .maxUnavailable)) -}}
{{- $faults = append $faults "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both set: expected one of them." -}}
{{- end -}}
{{- end -}}
{{- dict "faults" $faults | toJson -}}
{{- end -}}

{{/* Seconds: the service's own deadline (a duration with its unit), and ten more for the kubelet. */}}
{{- define "checkresult.leastGrace" -}}
{{- $deadline := include "checkresult.setting" (dict "root" . "name" "SHUTDOWN_DEADLINE") -}}
{{- $unit := regexFind "[a-z]+$" $deadline -}}
{{- $seconds := get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0) $unit -}}
{{- add (ceil (mulf (trimSuffix $unit $deadline | float64) $seconds)) 10 -}}
{{- end -}}
