package kit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const unitFile = root + "/deploy/systemd/escalator.service"

func TestUnit_isGoodToSystemd(t *testing.T) {
	unit := filepath.Join(t.TempDir(), "escalator.service")
	write(t, unit, strings.ReplaceAll(read(t, unitFile), "/usr/bin/escalator", binary))
	if out := mustRun(t, "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit); out != "" {
		t.Error(out)
	}
	out := mustRun(t, "systemd-analyze", "security", "--offline=true", unit)
	level := regexp.MustCompile(`exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
	if level == nil {
		t.Fatalf("no level in:\n%s", out)
	}
	if exposed, err := strconv.ParseFloat(level[1], 64); err != nil || exposed > 2 {
		t.Errorf("exposure %s, want 2.0 or less\n%s", level[1], out)
	}
	wantSettings(t, "the unit", read(t, unitFile))
}

// unitEnviron is the environment that systemd gives the service, whose folders are below dir.
func unitEnviron(t *testing.T, dir string) (environ []string) {
	t.Helper()
	set := func(line string) {
		name, value, _ := strings.Cut(line, "=")
		for _, folder := range []string{"/etc/", "/var/", "%d/"} {
			if rest, ok := strings.CutPrefix(value, folder); ok {
				value = filepath.Join(dir, folder, rest)
			}
		}
		if strings.HasSuffix(name, "LISTEN") {
			value = "127.0.0.1:0"
		}
		environ = append(environ, name+"="+value)
	}
	for line := range strings.Lines(read(t, unitFile)) {
		if e, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			set(e)
		}
	}
	for line := range strings.Lines(read(t, root+"/deploy/escalator.env")) { // an EnvironmentFile comes after, and wins
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			set(line)
		}
	}
	return environ
}

// Where systemd is not the first process, this is what it would do: its environment, its credentials, its command.
func TestUnit_runs_andWithoutItsSecretSaysWhich(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "etc/escalator/rules/rules.yaml"), read(t, root+"/rules.yaml"))
	command := func() *exec.Cmd {
		line := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/escalator (.*)$`).FindStringSubmatch(read(t, unitFile))
		cmd := exec.Command(binary, strings.Fields(line[1])...)
		cmd.Env = unitEnviron(t, dir)
		return cmd
	}
	for _, name := range []string{"escalator.callback_token", "escalator.secret_key"} {
		out, err := command().CombinedOutput()
		setting := "ESCALATOR_" + strings.ToUpper(strings.TrimPrefix(name, "escalator."))
		if code := exitCode(err); code != 2 {
			t.Errorf("without %s: exit %d\n%s", name, code, out)
		}
		if n := strings.Count(string(out), setting); n != 1 || strings.Count(string(out), "\n") > 2 {
			t.Errorf("without %s:\n%s", name, out)
		}
		write(t, filepath.Join(dir, "%d", name), "a-secret-of-its-own")
	}
	p := serve(t, command())
	if status := p.get("/readyz"); status != 200 {
		t.Errorf("/readyz: %d", status)
	}
	p.stop()
}

func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}

// The settings file means the same to all that read it: each line is one value, and there is nothing to take off.
func TestEnvFile_isReadAlike(t *testing.T) {
	file, err := filepath.Abs(root + "/deploy/escalator.env")
	if err != nil {
		t.Fatal(err)
	}
	wantSettings(t, file, read(t, file))
	docker := map[string]string{} // docker takes whole lines: no comments behind a value, no quotes
	for line := range strings.Lines(read(t, file)) {
		if line = strings.TrimRight(line, "\n"); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || strings.ContainsAny(value, " #\"'$\\") || strings.TrimSpace(name) != name {
			t.Errorf("not everybody reads %q alike", line)
		}
		docker[name] = value
	}
	out := mustRun(t, "env", "-i", "sh", "-c", `set -a; . "$0"; set +a; exec env`, file)
	shell := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), "="); strings.HasPrefix(name, "ESCALATOR_") {
			shell[name] = value
		}
	}
	for name, value := range docker {
		if shell[name] != value {
			t.Errorf("%s is %q to docker and systemd, and %q to a shell", name, value, shell[name])
		}
	}
	p := project(t, "single.yaml")
	for name, value := range docker {
		if got := p.Services["escalator"].Environment[name]; name != "ESCALATOR_ADMIN_LISTEN" && (got == nil || *got != value) {
			t.Errorf("%s is %v to compose", name, got)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "a-secret-of-its-own")
	write(t, filepath.Join(dir, "rules.yaml"), read(t, root+"/rules.yaml"))
	cmd := exec.Command(binary, "serve", "--env-file", file, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	cmd.Dir, cmd.Env = dir, []string{"ESCALATOR_SECRET_KEY_FILE=" + filepath.Join(dir, "key")}
	serve(t, cmd).stop()
}

// The image has one folder that can be written: the rest of its file system is read-only.
func TestImage_runsOnAReadOnlyRoot(t *testing.T) {
	docker := read(t, root+"/Dockerfile")
	wantSettings(t, "the Dockerfile", docker)
	for _, want := range []string{"USER 65532:65532", `ENTRYPOINT ["/usr/local/bin/escalator"]`, "org.opencontainers.image.source", "COPY rules.yaml /etc/escalator/rules.yaml"} {
		if !strings.Contains(docker, want) {
			t.Errorf("the Dockerfile has no %s", want)
		}
	}
	tree := t.TempDir()
	if err := os.Chmod(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "install", "-D", binary, filepath.Join(tree, "usr/local/bin/escalator"))
	write(t, filepath.Join(tree, "etc/escalator/rules.yaml"), read(t, root+"/rules.yaml"))
	write(t, filepath.Join(tree, "run/secrets/key"), "a-secret-of-its-own")
	if err := os.Mkdir(filepath.Join(tree, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := `mount --bind "$0" "$0" && mount -t tmpfs -o uid=65532 none "$0/data" && mount -o remount,bind,ro "$0" || exit 9
touch "$0/x" 2>/dev/null && { echo "the root can be written"; exit 9; }
exec chroot --userspec=65532:65532 "$0" /usr/local/bin/escalator serve`
	cmd := exec.Command("unshare", "--mount", "sh", "-c", script, tree)
	cmd.Env = []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ESCALATOR_RULES=/etc/escalator/rules.yaml", "ESCALATOR_DATA_DIR=/data", "ESCALATOR_SDKAPPID=1400000000",
		"ESCALATOR_SECRET_KEY_FILE=/run/secrets/key", "ESCALATOR_LISTEN=127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN=127.0.0.1:0",
	}
	p := serve(t, cmd)
	if status := p.get("/readyz"); status != 200 {
		t.Errorf("/readyz: %d", status)
	}
	p.stop()
}
