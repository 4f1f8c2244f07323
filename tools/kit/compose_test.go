package kit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeDir = root + "/deploy/compose"

// project loads a compose file as docker compose does, in a copy of its folder with the files that its first lines make.
func project(t *testing.T, file string) *types.Project {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "deploy/compose", file), read(t, filepath.Join(composeDir, file)))
	write(t, filepath.Join(dir, "deploy/compose/escalator.env"), read(t, root+"/deploy/escalator.env"))
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "deploy/compose", file)}, cli.WithWorkingDirectory(filepath.Join(dir, "deploy/compose")))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.Services["escalator"].Build == nil && p.Services["escalator-1"].Build == nil {
		t.Error("nothing is built")
	}
	return p
}

func TestCompose_operatorsAreOnLoopbackOnly_andSecretsInFiles(t *testing.T) {
	for file, replicas := range map[string]int{"single.yaml": 1, "replicas.yaml": 3} {
		p := project(t, file)
		ours, published := 0, map[string]bool{}
		for name, s := range p.Services {
			for _, port := range s.Ports {
				if published[port.Published] {
					t.Errorf("%s: port %s is published twice", file, port.Published)
				}
				published[port.Published] = true
				if port.Target == 8081 && port.HostIP != "127.0.0.1" {
					t.Errorf("%s: the operators' listener of %s is reached from %q", file, name, port.HostIP)
				}
			}
			if s.Image != "escalator" {
				continue
			}
			ours++
			wantComposed(t, file, &s)
		}
		if ours != replicas || !published["8080"] || !published["8081"] {
			t.Errorf("%s: %d services, ports %v", file, ours, published)
		}
	}
}

// wantComposed checks one service of ours.
func wantComposed(t *testing.T, file string, s *types.ServiceConfig) {
	t.Helper()
	var names strings.Builder
	mounted := map[string]bool{}
	for _, secret := range s.Secrets {
		mounted["/run/secrets/"+secret.Source] = true
	}
	for name, value := range s.Environment {
		fmt.Fprintln(&names, name)
		if value == nil {
			t.Errorf("%s: %s has no value", file, name)
		} else if strings.HasSuffix(name, "_FILE") && !mounted[*value] {
			t.Errorf("%s: %s is %s, which is not mounted", file, name, *value)
		}
	}
	wantSettings(t, file, names.String())
	for _, want := range []string{"ESCALATOR_SDKAPPID", "ESCALATOR_SECRET_KEY_FILE", "ESCALATOR_ADMIN_TOKEN_FILE", "ESCALATOR_RULES"} {
		if !strings.Contains(names.String(), want) {
			t.Errorf("%s: %s is not set", file, want)
		}
	}
	if !s.ReadOnly || s.StopGracePeriod == nil || s.StopGracePeriod.String() != "30s" {
		t.Errorf("%s: read-only %v, %v to stop", file, s.ReadOnly, s.StopGracePeriod)
	}
}

// nginx resolves the names of the replicas when it reads its file; here they are loopback.
func TestCompose_nginxTakesItsFile(t *testing.T) {
	text := read(t, filepath.Join(composeDir, "nginx.conf"))
	for i := range 3 {
		name := fmt.Sprintf("escalator-%d:8080", i+1)
		if !strings.Contains(text, name) {
			t.Errorf("nginx.conf does not name %s", name)
		}
		text = strings.ReplaceAll(text, name, fmt.Sprintf("127.0.0.1:1808%d", i))
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	write(t, conf, fmt.Sprintf("pid %s;\n", filepath.Join(dir, "pid"))+text)
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "nginx", "-t", "-q", "-p", dir, "-e", "stderr", "-c", conf)
}
