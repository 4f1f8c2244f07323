package rulefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"escalator/rules"
)

// keepMany adds versions of so many bytes each to a history, and returns it as the next process finds it.
func keepMany(t *testing.T, folder string, n, size int) *history {
	t.Helper()
	h, err := openHistory(folder)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		files := rules.Files{"rules.yaml": fmt.Appendf(nil, "version %d", i), "teams/a.yaml": []byte("of a team")}
		if err := h.add(Accepted{Version: files.Version(), File: "rules.yaml", Bytes: size, Author: Author{How: "reload", By: fmt.Sprint(i)}}, files); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openHistory(folder)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestHistory_keepsTheLastFiftyAndNoMoreThanItsBytes(t *testing.T) {
	for _, c := range []struct{ n, size, want int }{
		{3, 100, 3},
		{maxKept + 1, 100, maxKept},
		{10, 100 << 20, 2},
		{3, maxKeptBytes + 1, 1},
	} {
		folder := filepath.Join(t.TempDir(), "data", "rules")
		all := keepMany(t, folder, c.n, c.size).list()
		if len(all) != c.want || all[0].By != fmt.Sprint(c.n-1) || all[len(all)-1].By != fmt.Sprint(c.n-c.want) {
			t.Errorf("%d versions of %d bytes: %d are kept, want %d, from %s to %s", c.n, c.size, len(all), c.want, all[len(all)-1].By, all[0].By)
		}
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != c.want {
			t.Errorf("%d folders on disk, want %d: %v", len(entries), c.want, err)
		}
	}
}

func TestHistory_givesBackWhatWasKept_andTellsOfDamage(t *testing.T) {
	folder := t.TempDir()
	h := keepMany(t, folder, 3, 10)
	newest, err := h.find(h.list()[0].Version[:6])
	if err != nil {
		t.Fatal(err)
	}
	files, err := h.files(newest)
	if err != nil || string(files["rules.yaml"]) != "version 2" || string(files["teams/a.yaml"]) != "of a team" {
		t.Errorf("%q, %v", files, err)
	}
	for _, unknown := range []string{"", "file", "0123456789ab", newest.Version + "0"} {
		if _, err := h.find(unknown); !errors.Is(err, ErrUnknownVersion) {
			t.Errorf("version %q: %v", unknown, err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, newest.folder, "files", "rules.yaml"), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.files(newest); err == nil || !strings.Contains(err.Error(), "its files were changed") {
		t.Errorf("a version that somebody changed: %v", err)
	}
}

func TestHistory_aVersionThatWasNotWrittenToItsEnd_isNone_andIsRemoved(t *testing.T) {
	folder := t.TempDir()
	keepMany(t, folder, 2, 10)
	for _, half := range []string{freshFolder, "00000003-0123456789ab"} {
		if err := os.MkdirAll(filepath.Join(folder, half, filesFolder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h, err := openHistory(folder)
	if err != nil || len(h.list()) != 2 {
		t.Fatalf("%d versions, %v", len(h.list()), err)
	}
	files := rules.Files{"rules.yaml": []byte("a third")}
	if err := h.add(Accepted{Version: files.Version(), File: "rules.yaml"}, files); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
}
