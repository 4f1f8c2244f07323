package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"escalator/bot/desk/desktest"
)

// limitFiles makes every file of the service end at a size, as a full disk
// would; unlimited gives the space back.
func (s *service) limitFiles(size uint64) {
	s.t.Helper()
	limit := unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		s.t.Fatal(err)
	}
}

// TestServe_aFullDisk_refusesWhatItCannotKeep_andHealsByItself fills the disk
// under the service, and gives the space back.
func TestServe_aFullDisk_refusesWhatItCannotKeep_andHealsByItself(t *testing.T) {
	t.Parallel()
	s := newUnreliable(t, 1)
	s.says("before", "a human please")
	files, err := filepath.Glob(filepath.Join(s.dir, "*", "journal-*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the store: %v, %v", files, err)
	}
	if _, err := os.Stat(files[0]); err != nil {
		t.Fatal(err)
	}
	s.limitFiles(1)
	var refused []desktest.Callback
	for i := range 20 {
		a := s.desk.UserSays(fmt.Sprint("full-", i), "a human please")
		if a.Status != http.StatusServiceUnavailable {
			t.Fatalf("answer on a full disk: %d %s", a.Status, a.Body)
		}
		refused = append(refused, a.Request)
	}
	status, header := s.probe(refused[0])
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("on a full disk: %d, Retry-After %q", status, header.Get("Retry-After"))
	}
	if a := s.says("plain", "where is my parcel"); a.Status != http.StatusOK {
		t.Errorf("a plain message on a full disk: %d", a.Status)
	}
	if status, body := s.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "file too large") {
		t.Errorf("/readyz on a full disk: %d %s", status, body)
	}
	for _, a := range s.desk.Ledger().Accepted {
		if strings.HasPrefix(a.Session, "full-") {
			t.Errorf("%s was refused and is transferred", a.Session)
		}
	}
	s.limitFiles(unix.RLIM_INFINITY)
	eventually(t, "readiness after space came back", func() bool { status, _ := s.get("/readyz"); return status == http.StatusOK })
	for _, c := range refused {
		if a := s.desk.Resend(c); a.Err != nil || a.AIProvider == nil || *a.AIProvider != 0 {
			t.Errorf("a refused callback, sent again: %s, %v", a.Body, a.Err)
		}
	}
	sessions := []string{"before"}
	for i := range refused {
		sessions = append(sessions, fmt.Sprint("full-", i))
	}
	s.wantEachAcceptedOnce(sessions)
}
