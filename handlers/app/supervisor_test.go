package app_test

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"escalator/handlers/app"
)

func TestWatchdog_aStoreThatHangs_isNotFed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	a, _, err := newApp(t, func(s *app.Settings) { s.Supervisor = app.Supervisor{Socket: path, Watchdog: 200 * time.Millisecond} })
	if err != nil {
		t.Fatal(err)
	}
	goOn := a.HangStore(3)
	a.Start(nil)
	var heard []string
	hear := func(timeout time.Duration) bool {
		b := make([]byte, 1024)
		_ = socket.SetReadDeadline(time.Now().Add(timeout))
		n, err := socket.Read(b)
		heard = append(heard, string(b[:n]))
		return err == nil
	}
	for range 4 { // ready, and three beats before it hangs
		if !hear(10 * time.Second) {
			t.Fatalf("heard only %q", heard)
		}
	}
	if hear(time.Second) {
		t.Errorf("fed while the store hangs: %q", heard)
	}
	goOn()
	if !hear(10 * time.Second) {
		t.Errorf("not fed again: %q", heard)
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
}
