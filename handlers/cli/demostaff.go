package cli

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"escalator/rules/lang"
)

// The demo's folder of secrets, and the file in it that holds the staff's address: the
// demo's rules name it.
const (
	demoSecrets     = "secrets"
	demoAddressFile = "staff-url"
)

// staffRoom stands in for the chat that a team reads: an address on loopback that
// prints what it gets.
type staffRoom struct {
	story   *narrator
	server  *http.Server
	serving sync.WaitGroup
	reading sync.Mutex // held while a scene has something to tell first
}

// openStaffRoom begins to take messages, and writes its address into a folder of secrets.
func openStaffRoom(secrets string, story *narrator) (*staffRoom, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, lang.Errorf("opening the staff's chat: %w", err)
	}
	if err = os.Mkdir(secrets, 0o700); err == nil {
		err = os.WriteFile(filepath.Join(secrets, demoAddressFile), []byte("http://"+l.Addr().String()+"/"), 0o600)
	}
	if err != nil {
		_ = l.Close()
		return nil, lang.Errorf("writing the address of the staff's chat: %w", err)
	}
	r := &staffRoom{story: story}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Second}
	r.serving.Go(func() { _ = r.server.Serve(l) })
	return r, nil
}

func (r *staffRoom) close() {
	_ = r.server.Close()
	r.serving.Wait()
}

// ServeHTTP takes a message as a plain webhook gets it (docs/installations.md).
func (r *staffRoom) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var told struct{ Text string }
	if json.NewDecoder(io.LimitReader(req.Body, 64<<10)).Decode(&told) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	for line := range strings.Lines(told.Text) {
		r.story.line("staff", lang.Raw(strings.TrimSuffix(line, "\n")))
	}
	r.story.happened("staff")
}

// then has the staff read what it is told meanwhile when it is over, and waits for that:
// the two would be told in any order otherwise.
func (r *staffRoom) then(meanwhile func()) {
	read := r.story.next("staff")
	r.reading.Lock()
	meanwhile()
	r.reading.Unlock()
	read()
}
