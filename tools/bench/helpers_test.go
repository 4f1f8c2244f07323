package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asked sends a callback of a kind to an address and returns the status of the answer.
func asked(t *testing.T, address string, k kind) int {
	t.Helper()
	c := newClient(address)
	defer c.close()
	status, err := c.do(newRequests(k), 1)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestProxy_passesOnToTheBot(t *testing.T) {
	bot, err := startHelper(t.Context(), roleFloor)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := startHelper(t.Context(), roleProxy, bot.address)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.stop()
	if status := asked(t, proxy.address, quiet); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	bot.stop()
	if status := asked(t, proxy.address, quiet); status != http.StatusBadGateway { // else it answered by itself
		t.Errorf("status %d without a bot", status)
	}
	got, err := proxy.side().touches(t.Context())
	if err != nil || got.bytes <= 0 || got.objects <= 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSweeper_endsWithItsLeash(t *testing.T) {
	s, err := startHelper(t.Context(), roleSweeper)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.leash.Close()
	<-s.ended
}

func TestMemorySweep_reachesEveryLine(t *testing.T) {
	s := newMemorySweep()
	s.pass()
	for i := 0; i < len(s); i += cacheLine {
		if s[i] != 1 {
			t.Fatalf("the line at %d was left out", i)
		}
	}
}

// webhookScript plays webhook as far as starting it goes: it notes how it was called, and ends.
const webhookScript = "#!/bin/sh\necho \"$@\" >\"$0.called\"\n"

func TestWebhook_isStartedWithItsHook(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "webhook")
	if err := os.WriteFile(path, []byte(webhookScript), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	b := &bench{dir: t.TempDir()}
	if side, err := b.startWebhook(t.Context()); err == nil {
		t.Errorf("it ended at once, and %+v is measured", side)
	}
	if called, err := os.ReadFile(path + ".called"); err != nil || !strings.Contains(string(called), "-hooks "+b.dir) {
		t.Errorf("%q %v", called, err)
	}
}

// Else webhook would do less than we do, or more.
func TestWebhook_regex_isFoundWhereARuleFires(t *testing.T) {
	regex := regexp.MustCompile(hookRegex)
	for _, text := range asks {
		if !regex.MatchString(text) {
			t.Errorf("not found in %q", text)
		}
	}
	for _, text := range messages {
		if regex.MatchString(text) {
			t.Errorf("found in %q", text)
		}
	}
}

func TestWebhook_notInstalled_isNoMistake(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	b := &bench{dir: t.TempDir()}
	if side, err := b.startWebhook(t.Context()); side != nil || err != nil {
		t.Errorf("%+v %v", side, err)
	}
}
