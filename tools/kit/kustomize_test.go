package kit

import (
	"flag"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const kustomizeDir = root + "/deploy/kustomize"

var update = flag.Bool("update", false, "write deploy/kustomize/base from the chart")

// helmsOwn are labels that only Helm gives.
var helmsOwn = regexp.MustCompile(`(?m)^ +(helm\.sh/chart|app\.kubernetes\.io/(managed-by|version)): .*\n|^# Source: .*\n`)

// The chart is the one source: the base is what it renders, and an overlay changes it as the values would.
func TestKustomize_isTheChart(t *testing.T) {
	if *update {
		writeFromChart(t)
	}
	for dir, values := range map[string]string{"base": usual, "overlays/replicas": usual + "replicas: 3\nredis: {enabled: true}\n"} {
		t.Run(dir, func(t *testing.T) {
			want, err := render(t, values)
			if err != nil {
				t.Fatal(err)
			}
			built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(kustomizeDir, dir))
			if err != nil {
				t.Fatal(err)
			}
			got, err := built.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			decode(t, string(got))
			if diff := cmp.Diff(plain(t, helmsOwn.ReplaceAllString(want, "")), plain(t, string(got))); diff != "" {
				t.Errorf("chart (-) and kustomize (+) differ; go test -C tools/kit -run Kustomize -update . writes the base anew:\n%s", diff)
			}
		})
	}
}

// What watches is a folder of its own, because a cluster without the Prometheus operator refuses it.
func TestKustomize_watchesAsTheChart(t *testing.T) {
	want := map[string]any{}
	base := plain(t, mustRenderText(t, usual))
	for name, o := range plain(t, helmsOwn.ReplaceAllString(mustRenderText(t, watched), "")) {
		if base[name] == nil {
			want[name] = o
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(kustomizeDir, "monitoring"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, plain(t, string(got))); diff != "" || len(want) != 3 {
		t.Errorf("chart (-) and kustomize (+) differ; go test -C tools/kit -run Kustomize -update . writes it anew:\n%s", diff)
	}
}

// watched switches on what the Prometheus operator reads.
const watched = usual + "serviceMonitor: {enabled: true}\nprometheusRule: {enabled: true}\n"

// writeFromChart writes what the chart renders, but for the rules: kustomize makes their ConfigMap from a file.
func writeFromChart(t *testing.T) {
	t.Helper()
	write(t, filepath.Join(kustomizeDir, "base/escalator.yaml"), documents(mustRenderText(t, usual), func(doc string) bool { return !strings.Contains(doc, "kind: ConfigMap") }))
	write(t, filepath.Join(kustomizeDir, "base/rules.yaml"), read(t, root+"/rules.yaml"))
	base := helmsOwn.ReplaceAllString(mustRenderText(t, usual), "")
	write(t, filepath.Join(kustomizeDir, "monitoring/monitoring.yaml"), documents(mustRenderText(t, watched), func(doc string) bool { return !strings.Contains(base, strings.TrimSpace(doc)) }))
}

// documents are those of what the chart renders that a file of kustomize keeps.
func documents(text string, keep func(doc string) bool) string {
	var kept strings.Builder
	kept.WriteString("# Written from deploy/helm/escalator by: go test -C tools/kit -run Kustomize -update .\n")
	for doc := range strings.SplitSeq(helmsOwn.ReplaceAllString(text, ""), "---\n") {
		if strings.Contains(doc, "kind: ") && keep(doc) {
			kept.WriteString("---\n" + strings.TrimSpace(doc) + "\n")
		}
	}
	return kept.String()
}

// plain reads manifests as they are, by kind and name.
func plain(t *testing.T, text string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for doc := range strings.SplitSeq("\n"+text, "\n---") {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatal(err)
		}
		if o == nil {
			continue
		}
		sortEnv(o)
		meta, _ := o["metadata"].(map[string]any)
		all[o["kind"].(string)+" "+meta["name"].(string)] = o
	}
	return all
}

// sortEnv puts settings in the order of their names: which comes first means nothing.
func sortEnv(o any) {
	switch o := o.(type) {
	case map[string]any:
		for key, value := range o {
			if env, ok := value.([]any); ok && key == "env" {
				slices.SortFunc(env, func(a, b any) int { return strings.Compare(nameOf(a), nameOf(b)) })
			}
			sortEnv(value)
		}
	case []any:
		for _, value := range o {
			sortEnv(value)
		}
	}
}

func nameOf(o any) string {
	fields, _ := o.(map[string]any)
	name, _ := fields["name"].(string)
	return name
}
