{{- define "sharder.labels" -}}
app.kubernetes.io/name: sharder
app.kubernetes.io/part-of: controller-sharding
{{- end }}

{{- define "sharder.metadata" -}}
name: sharder
namespace: {{ .Release.Namespace }}
labels:
  {{- include "sharder.labels" . | nindent 2 }}
{{- end }}

{{- define "sharder.image" -}}
{{- $image := .Values.image -}}
{{- required "image.repository is missing: where the image was pushed to (docs/use.md)" $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "sharder.usesCertManager" -}}
{{- if and .Values.webhook.enabled (eq .Values.webhook.certificate "cert-manager") }}true{{ end -}}
{{- end }}

{{- /* config.yaml: what the values say, and what the objects of the chart ask for. */}}
{{- define "sharder.config" -}}
{{- $ours := include "sharder.config.ours" . | fromYaml }}
{{- merge $ours (deepCopy .Values.config) | toYaml }}
{{- end }}

{{- define "sharder.config.ours" -}}
apiVersion: config.sharding.timebertt.dev/v1alpha1
kind: SharderConfig
webhook:
  {{- if not .Values.webhook.enabled }}
  enabled: false
  {{- else }}
  {{- if include "sharder.usesCertManager" . }}
  server:
    certDir: /tmp/k8s-webhook-server/serving-certs
  {{- end }}
  config:
    {{- if include "sharder.usesCertManager" . }}
    annotations:
      cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/sharder-webhook
    {{- end }}
    clientConfig:
      service:
        namespace: {{ .Release.Namespace }}
        name: sharder
  {{- end }}
{{- end }}

{{- /* With a name of its own for each text, so that a change starts new pods, and old ones keep theirs. */}}
{{- define "sharder.configMap" -}}
sharder-{{ include "sharder.config" . | sha256sum | trunc 10 }}
{{- end }}
