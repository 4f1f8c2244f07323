package kit

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers its format
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm" // the same
	"sigs.k8s.io/yaml"
)

// packageOf builds the package that .goreleaser.yaml describes, with the same library, around the program under test.
func packageOf(t *testing.T, format string) string {
	t.Helper()
	var config struct {
		Nfpms []struct {
			PackageName string `json:"package_name"`
			Maintainer  string
			Description string
			Section     string
			Formats     []string
			Recommends  []string
			Scripts     struct{ Postinstall, Preremove string }
			Contents    []struct {
				Src, Dst, Type string
				FileInfo       struct{ Mode uint32 } `json:"file_info"`
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, root+"/.goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	p := config.Nfpms[0]
	extras := t.TempDir()
	mustRun(t, root+"/deploy/packages/extras", binary, extras)
	info := nfpm.WithDefaults(&nfpm.Info{Name: p.PackageName, Arch: "amd64", Platform: "linux", Version: "1.2.3", Maintainer: p.Maintainer, Description: p.Description, Section: p.Section})
	info.Recommends = p.Recommends
	info.Scripts = nfpm.Scripts{PostInstall: filepath.Join(root, p.Scripts.Postinstall), PreRemove: filepath.Join(root, p.Scripts.Preremove)}
	info.Contents = append(info.Contents, &files.Content{Source: binary, Destination: "/usr/bin/escalator", FileInfo: &files.ContentFileInfo{Mode: 0o755}})
	for _, c := range p.Contents {
		source := filepath.Join(root, c.Src)
		if rest, ok := strings.CutPrefix(c.Src, "bin/extras/"); ok {
			source = filepath.Join(extras, rest)
		}
		info.Contents = append(info.Contents, &files.Content{Source: source, Destination: c.Dst, Type: c.Type, FileInfo: &files.ContentFileInfo{Mode: os.FileMode(c.FileInfo.Mode)}})
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		t.Fatal(err)
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "escalator."+format)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := packager.Package(info, f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPackage_debHoldsWhatTheUnitNeeds(t *testing.T) {
	deb, dir := packageOf(t, "deb"), t.TempDir()
	mustRun(t, "dpkg", "-x", deb, dir)
	unit := read(t, filepath.Join(dir, "usr/lib/systemd/system/escalator.service"))
	for _, path := range []string{"/usr/bin/escalator", "/etc/escalator/escalator.env", "/etc/escalator/rules/rules.yaml"} {
		if !strings.Contains(unit, path) {
			t.Errorf("the unit does not name %s", path)
		}
		if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{
		"usr/lib/sysusers.d/escalator.conf", "usr/lib/tmpfiles.d/escalator.conf", "usr/share/man/man1/escalator.1",
		"usr/share/bash-completion/completions/escalator", "usr/share/zsh/vendor-completions/_escalator", "usr/share/fish/vendor_completions.d/escalator.fish",
		"usr/share/doc/escalator/deploy/prometheus/alerts.yaml", "usr/share/doc/escalator/deploy/grafana/escalator.json",
	} {
		if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
			t.Error(err)
		}
	}
	if out := mustRun(t, filepath.Join(dir, "usr/bin/escalator"), "version"); !strings.Contains(out, "escalator") {
		t.Errorf("version: %s", out)
	}
	wantPagesLinked(t, filepath.Join(dir, "usr/share/doc/escalator"))
	if out := mustRun(t, "dpkg-deb", "--field", deb, "Recommends"); !strings.Contains(out, "ca-certificates") {
		t.Errorf("without CA roots nothing reaches Desk: it recommends %q", out)
	}
	conffiles := mustRun(t, "dpkg-deb", "--info", deb, "conffiles")
	for _, path := range []string{"/etc/escalator/escalator.env", "/etc/escalator/rules/rules.yaml"} {
		if !strings.Contains(conffiles, path) {
			t.Errorf("an upgrade would write over %s", path)
		}
	}
	mustRun(t, "sh", "-n", root+"/deploy/packages/postinstall.sh")
	mustRun(t, "sh", "-n", root+"/deploy/packages/preremove.sh")
	mustRun(t, "systemd-sysusers", "--root="+dir, "escalator.conf")
	mustRun(t, "systemd-tmpfiles", "--root="+dir, "--create", "escalator.conf")
	if info, err := os.Stat(filepath.Join(dir, "etc/escalator/rules/rules.yaml")); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the rule file: %v %v", info.Mode(), err)
	}
}

// wantPagesLinked checks that the pages and pictures to which the pages of a package link are in it.
func wantPagesLinked(t *testing.T, dir string) {
	t.Helper()
	link := regexp.MustCompile(`\]\(([^):#]+\.(?:md|png|svg))[)#]`)
	links := 0
	err := filepath.WalkDir(dir, func(page string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(page) != ".md" {
			return err
		}
		for _, to := range link.FindAllStringSubmatch(read(t, page), -1) {
			links++
			if target := filepath.Join(filepath.Dir(page), to[1]); !exists(target) {
				t.Errorf("%s links to %s, which is not in the package", page, to[1])
			}
		}
		return nil
	})
	if err != nil || links < 100 {
		t.Errorf("%d links, %v", links, err)
	}
}

func TestPackage_rpmIsBuilt(t *testing.T) {
	info, err := os.Stat(packageOf(t, "rpm"))
	if err != nil || info.Size() < 5<<20 {
		t.Errorf("%v %v", info, err)
	}
}
