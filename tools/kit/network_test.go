package kit

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// caller is a pod that wants to reach ours.
type caller struct{ namespace, pod map[string]string }

// The policies together let in who has business there, and nobody else; what goes out (Desk, DNS, Redis, the collector of
// traces) is left alone.
func TestNetworkPolicies_letIn(t *testing.T) {
	home := map[string]string{corev1.LabelMetadataName: "support"}
	away := map[string]string{corev1.LabelMetadataName: "monitoring"}
	prometheus := map[string]string{"app.kubernetes.io/name": "prometheus"}
	ingress, other := map[string]string{"app": "ingress"}, map[string]string{"app": "shop"}
	for _, c := range []struct {
		name, values, port string
		from               caller
		want               bool
	}{
		{"callbacks from anywhere", usual, "callbacks", caller{away, ingress}, true},
		{"callbacks from whom the values name", usual + "networkPolicy: {callbacksFrom: [{podSelector: {matchLabels: {app: ingress}}}]}\n", "callbacks", caller{home, other}, false},
		{"operators at home", usual, "operators", caller{home, other}, true},
		{"operators elsewhere", usual, "operators", caller{away, other}, false},
		{"Prometheus that nobody has announced", usual, "operators", caller{away, prometheus}, false},
		{"Prometheus of the operator", watched, "operators", caller{away, prometheus}, true},
		{"Prometheus beside named operators", watched + "networkPolicy: {operatorsFrom: [{podSelector: {matchLabels: {app: ops}}}]}\n", "operators", caller{away, prometheus}, true},
		{"Prometheus has no callbacks to send", watched + "networkPolicy: {callbacksFrom: [{podSelector: {matchLabels: {app: ingress}}}]}\n", "callbacks", caller{away, prometheus}, false},
		{"others where Prometheus is", watched, "operators", caller{away, other}, false},
		{"without policies", watched + "networkPolicy: {enabled: false}\n", "operators", caller{away, other}, true},
	} {
		if got := letsIn(t, mustRender(t, c.values), home, c.port, c.from); got != c.want {
			t.Errorf("%s: let in: %v", c.name, got)
		}
	}
}

// letsIn decides as a cluster does: what some policy selects is closed but for what some policy allows.
func letsIn(t *testing.T, objects map[string]any, home map[string]string, port string, from caller) bool {
	t.Helper()
	closed := false
	for _, o := range objects {
		p, ok := o.(*networkingv1.NetworkPolicy)
		if !ok {
			continue
		}
		closed = true
		for _, kind := range p.Spec.PolicyTypes {
			if kind != networkingv1.PolicyTypeIngress {
				t.Errorf("%s restricts %s", p.Name, kind)
			}
		}
		for _, rule := range p.Spec.Ingress {
			if rule.Ports[0].Port.String() == port && anyPeer(t, rule.From, home, from) {
				return true
			}
		}
	}
	return !closed
}

func anyPeer(t *testing.T, peers []networkingv1.NetworkPolicyPeer, home map[string]string, from caller) bool {
	t.Helper()
	for _, peer := range peers {
		namespace := peer.NamespaceSelector
		if namespace == nil {
			namespace = &metav1.LabelSelector{MatchLabels: home}
		}
		if matches(t, namespace, from.namespace) && matches(t, peer.PodSelector, from.pod) {
			return true
		}
	}
	return len(peers) == 0
}

func matches(t *testing.T, selector *metav1.LabelSelector, of map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(of))
}
