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
		writeBase(t)
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

// writeBase writes what the chart renders, but for the rules: kustomize makes their ConfigMap from a file.
func writeBase(t *testing.T) {
	t.Helper()
	text, err := render(t, usual)
	if err != nil {
		t.Fatal(err)
	}
	var kept strings.Builder
	kept.WriteString("# Written from deploy/helm/escalator by: go test -C tools/kit -run Kustomize -update .\n")
	for _, doc := range strings.Split(helmsOwn.ReplaceAllString(text, ""), "---\n") {
		if strings.Contains(doc, "kind: ") && !strings.Contains(doc, "kind: ConfigMap") {
			kept.WriteString("---\n" + strings.TrimSpace(doc) + "\n")
		}
	}
	write(t, filepath.Join(kustomizeDir, "base/escalator.yaml"), kept.String())
	write(t, filepath.Join(kustomizeDir, "base/rules.yaml"), read(t, root+"/rules.yaml"))
}

// plain reads manifests as they are, by kind and name.
func plain(t *testing.T, text string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, doc := range strings.Split("\n"+text, "\n---") {
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
