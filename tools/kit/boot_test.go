package kit

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// afterwards is what is looked at when the five commands have run.
const afterwards = `
say() { echo "== $1"; shift; "$@" 2>&1; }
say active systemctl is-active escalator
say health /usr/bin/escalator health
say status systemctl show -p Type,StatusText,NRestarts,WatchdogUSec escalator
say user stat -c '%U %a' /var/lib/escalator
say reload systemctl reload escalator
say again systemctl show -p ActiveState,StatusText escalator
say upgrade dpkg -i /root/escalator_1.2.3_amd64.deb
say upgraded systemctl is-active escalator
say kept grep ^ESCALATOR_SDKAPPID /etc/escalator/escalator.env
pid=$(systemctl show -P MainPID escalator)
kill -STOP "$pid"
for i in $(seq 60); do [ "$(systemctl show -P NRestarts escalator)" = 0 ] || break; sleep 0.5; done
say stuck systemctl show -p NRestarts escalator
rm /etc/credstore/escalator.secret_key
systemctl stop escalator
say nosecret systemctl start escalator
say journal journalctl -u escalator -o cat --no-pager -n 15
printf %s another-key | install -m 600 /dev/stdin /etc/credstore/escalator.secret_key
systemctl restart escalator
say back systemctl is-active escalator
say removed dpkg -r escalator
say gone systemctl is-active escalator
echo "== end"
`

// A machine of its own, whose first process is systemd: from the package to the running unit in the commands of
// docs/install.md, and what the unit promises after that.
func TestBoot_theCommandsOfTheDocsLeadToARunningUnit(t *testing.T) {
	block := regexp.MustCompile("(?s)## From a package.*?```sh[^\n]*\n(.*?)```").FindStringSubmatch(read(t, root+"/docs/install.md"))
	if block == nil || strings.Count(block[1], "\n") != 5 {
		t.Fatalf("docs/install.md has no five commands from a package to a running unit: %q", block)
	}
	look := regexp.MustCompile("(?s)let `doctor` look.*?```sh[^\n]*\n(.*?)```").FindStringSubmatch(read(t, root+"/docs/install.md"))
	if look == nil {
		t.Fatal("docs/install.md does not show how to look with doctor")
	}
	machine := newMachine(t)
	write(t, filepath.Join(machine, "root/escalator_1.2.3_amd64.deb"), read(t, packageOf(t, "deb")))
	write(t, filepath.Join(machine, "root/commands"), "cd /root\nset -x\n"+strings.ReplaceAll(block[1], "sudo ", "")+"set +x\necho '== doctor'\n"+strings.ReplaceAll(look[1], "sudo ", "env ")+afterwards)
	// A short watchdog, so that the test need not wait for half a minute.
	write(t, filepath.Join(machine, "etc/systemd/system/escalator.service.d/test.conf"), "[Service]\nWatchdogSec=4s\nTimeoutAbortSec=1s\n")
	boot(t, machine)
	result := read(t, filepath.Join(machine, "root/result"))
	for _, want := range []string{
		// Desk cannot be reached from this machine. What doctor reads on it, it finds.
		"ok    token        callbacks must be signed\n", "ok    rules        /etc/escalator/rules/rules.yaml: ", "ok    data         /var/lib/escalator can be written\n",
		"== active\nactive\n", "== health\nok\n", "Type=notify", "StatusText=callbacks on ", "NRestarts=0", "WatchdogUSec=4s", "== user\nescalator 700\n",
		"== reload\n== again\n", "ActiveState=active\n", "== upgraded\nactive\n", "== kept\nESCALATOR_SDKAPPID=1400000000\n", "== stuck\nNRestarts=1\n",
		"ESCALATOR_SECRET_KEY_FILE: open /run/credentials/escalator.service/escalator.secret_key: no such file or directory\n", "== back\nactive\n", "== gone\ninactive\n", "== end\n",
	} {
		if !strings.Contains(result, want) {
			t.Errorf("no %q", want)
		}
	}
	if t.Failed() {
		t.Log(result)
	}
}

// newMachine is the root folder of a machine that has the programs of this one and nothing else.
func newMachine(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"etc", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "proc", "sys", "dev", "run", "tmp", "root", "usr", "over"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "var/lib/dpkg/status"), "")
	write(t, filepath.Join(dir, "etc/os-release"), "ID=test\nNAME=test\n")
	write(t, filepath.Join(dir, "etc/machine-id"), strings.Repeat("4", 32)+"\n") // else it asks for a locale first
	const unit = "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'sh /root/commands >/root/result 2>&1'\n" +
		"ExecStopPost=/bin/systemctl --force --force poweroff\n"
	write(t, filepath.Join(dir, "etc/systemd/system/commands.service"), unit)
	wants := filepath.Join(dir, "etc/systemd/system/graphical.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../commands.service", filepath.Join(wants, "commands.service")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// boot runs a machine until it powers itself off. It has a loopback of its own and no network.
func boot(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// In a process space of its own, with which all that it started ends, also when it is killed for being late.
	cmd := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--private-network", "--machine=escalator-kit",
		"--directory="+dir, "--overlay=/usr:"+filepath.Join(dir, "over")+":/usr", "--boot", "--", "--unit=graphical.target")
	if out, err := cmd.CombinedOutput(); err != nil {
		result, _ := os.ReadFile(filepath.Join(dir, "root/result"))
		t.Fatalf("%v\n%s\n%s", err, out, result)
	}
}
