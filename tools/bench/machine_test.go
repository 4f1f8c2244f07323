package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMachine_caches_areNamed(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"index0/level": "1", "index0/type": "Data", "index0/size": "48K", "index0/shared_cpu_list": "0",
		"index1/level": "3", "index1/type": "Unified", "index1/size": "32768K", "index1/shared_cpu_list": "0-1",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := caches(folder), "L1d 48K, L3 32768K shared by cores 0-1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := caches(filepath.Join(folder, "nothing")); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestMachine_usage_leavesOurselvesOut(t *testing.T) {
	began := usage{at: time.Now(), load: "0.10", busy: time.Hour, ours: time.Minute}
	later := usage{at: began.at.Add(time.Second), load: "2.00", busy: time.Hour + 500*time.Millisecond, ours: time.Minute + 500*time.Millisecond}
	if got := later.since(began); !strings.Contains(got, "0.10 at the beginning and 2.00 at the end; other processes used 0 %") {
		t.Error(got)
	}
}

// A process tells what it has done, whatever its name.
func TestProcess_counters_areThoseOfTheProcess(t *testing.T) {
	p, err := startProcess(exec.CommandContext(t.Context(), "cat", "/dev/zero"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	s := &side{process: p}
	for {
		got, err := s.touches(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.faults > 0 && got.switches > 0 {
			return
		}
	}
}
