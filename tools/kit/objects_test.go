package kit

import (
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// decode reads manifests as the cluster does, and refuses what it would pass over: an unknown or repeated field. The
// objects are by kind and name.
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	kinds := map[string]func() any{
		"apps/v1 StatefulSet":                     func() any { return new(appsv1.StatefulSet) },
		"v1 Service":                              func() any { return new(corev1.Service) },
		"v1 ConfigMap":                            func() any { return new(corev1.ConfigMap) },
		"networking.k8s.io/v1 NetworkPolicy":      func() any { return new(networkingv1.NetworkPolicy) },
		"policy/v1 PodDisruptionBudget":           func() any { return new(policyv1.PodDisruptionBudget) },
		"monitoring.coreos.com/v1 ServiceMonitor": func() any { return new(monitoringv1.ServiceMonitor) },
		"monitoring.coreos.com/v1 PrometheusRule": func() any { return new(monitoringv1.PrometheusRule) },
	}
	objects := map[string]any{}
	for doc := range strings.SplitSeq("\n"+text, "\n---") {
		var head struct {
			metav1.TypeMeta `json:",inline"`
			Metadata        struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if head.Kind == "" {
			continue
		}
		newKind, ok := kinds[head.APIVersion+" "+head.Kind]
		if !ok {
			t.Fatalf("what is %s %s?", head.APIVersion, head.Kind)
		}
		o := newKind()
		if err := yaml.UnmarshalStrict([]byte(doc), o); err != nil {
			t.Errorf("%s %s: %v", head.Kind, head.Metadata.Name, err)
		}
		objects[head.Kind+" "+head.Metadata.Name] = o
	}
	return objects
}
