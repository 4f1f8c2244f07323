package secrets_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"escalator/bot/secrets"
)

// planted stands in every file: no error may show it.
const planted = "planted-secret"

func TestFolder_readsWhatIsThereNow(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "url")
	for _, c := range []struct{ content, want string }{
		{planted, planted},
		{"\ufeff" + planted + "\r\n", planted},
		{planted + "-2\n", planted + "-2"},
	} {
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := secrets.Folder(dir).Read("url"); got != c.want || err != nil {
			t.Errorf("Read of %q = %q, %v", c.content, got, err)
		}
	}
}

// Kubernetes puts secrets behind two links that stay in the folder.
func TestFolder_followsLinksWithinItself_andNoneThatLeadOut(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		os.WriteFile(outside, []byte(planted), 0o600),
		os.Mkdir(filepath.Join(dir, "..2026"), 0o700),
		os.WriteFile(filepath.Join(dir, "..2026", "url"), []byte(planted), 0o600),
		os.Symlink("..2026", filepath.Join(dir, "..data")),
		os.Symlink("..data/url", filepath.Join(dir, "url")),
		os.Symlink(outside, filepath.Join(dir, "stolen")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := secrets.Folder(dir).Read("url"); got != planted || err != nil {
		t.Errorf("Read = %q, %v", got, err)
	}
	for _, name := range []string{"stolen", "../outside", outside} {
		if got, err := secrets.Folder(dir).Read(name); got != "" || err == nil {
			t.Errorf("Read(%q) = %q, %v", name, got, err)
		}
	}
}

func TestFolder_saysWhatIsWrong_withoutTheSecret(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"quoted": `"` + planted + `"`, "two-lines": planted + "\n\n", "empty": "", "large": strings.Repeat(planted, 10_000), "invisible": planted + "\u200b",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folder     secrets.Folder
		name, want string
	}{
		{"", "url", "ESCALATOR_SECRETS_DIR is not set"},
		{secrets.Folder(dir + "/none"), "url", "ESCALATOR_SECRETS_DIR: no such file"},
		{secrets.Folder(dir), "url", "url in ESCALATOR_SECRETS_DIR: no such file"},
		{secrets.Folder(dir), "quoted", "quoted in ESCALATOR_SECRETS_DIR has quotes in it"},
		{secrets.Folder(dir), "two-lines", "has white space in it"},
		{secrets.Folder(dir), "empty", "empty in ESCALATOR_SECRETS_DIR is empty"},
		{secrets.Folder(dir), "large", " is larger than 64 KiB"},
		{secrets.Folder(dir), "invisible", "has an invisible character in it"},
		{secrets.Folder(dir), "fifo", "not a regular file"},
		{secrets.Folder(dir), ".", "not a regular file"},
	} {
		value, err := c.folder.Read(c.name)
		if value != "" || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), planted) || strings.Contains(err.Error(), dir) {
			t.Errorf("Read(%q) = %q, %v, want an error with %q", c.name, value, err, c.want)
		}
	}
}

func TestFolder_Exposed_saysWhoMayRead(t *testing.T) {
	for _, c := range []struct {
		folder, file os.FileMode
		want         bool
	}{
		{0o755, 0o644, true},
		{0o755, 0o640, false},
		{0o750, 0o644, false},
	} {
		dir := t.TempDir()
		for _, err := range []error{
			os.WriteFile(filepath.Join(dir, "url"), []byte(planted), 0o600), os.Chmod(filepath.Join(dir, "url"), c.file), os.Chmod(dir, c.folder),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := secrets.Folder(dir).Exposed("url"); got != c.want {
			t.Errorf("folder %o, file %o: %t, want %t", c.folder, c.file, got, c.want)
		}
	}
	if secrets.Folder("/nowhere").Exposed("url") {
		t.Error("a folder that is not there is open to all")
	}
}
