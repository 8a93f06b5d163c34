{{- define "daemun.labels" -}}
app.kubernetes.io/component: controller
app.kubernetes.io/name: daemun
{{- end }}

{{- define "daemun.image" -}}
{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The name of what is in no namespace. */}}
{{- define "daemun.clusterName" -}}
daemun-controller{{ include "daemun.clusterSuffix" . }}
{{- end }}

{{/* Its end: two installations in one cluster do not share it. */}}
{{- define "daemun.clusterSuffix" -}}
{{ if ne .Release.Namespace "daemun-system" }}-{{ .Release.Namespace }}{{ end }}
{{- end }}

{{- define "daemun.subjects" -}}
- kind: ServiceAccount
  name: daemun-controller
  namespace: {{ .Release.Namespace }}
{{- end }}
