package handlers

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// bodyOf makes a request with a body of announced length, -1 for one that is not, read
// from r.
func bodyOf(r io.Reader, announced int64) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/", r)
	req.ContentLength = announced
	return req
}

func TestBodies_areReadWhole_orRefused(t *testing.T) {
	for _, c := range []struct {
		name            string
		sent, announced int
		want            error
	}{
		{"empty", 0, 0, nil},
		{"not announced, empty", 0, -1, nil},
		{"one byte", 1, 1, nil},
		{"a first piece", firstPiece, firstPiece, nil},
		{"a byte more", firstPiece + 1, firstPiece + 1, nil},
		{"not announced", 3*firstPiece + 5, -1, nil},
		{"the largest", maxBody, maxBody, nil},
		{"the largest, not announced", maxBody, -1, nil},
		{"too large", 10, maxBody + 1, errTooLarge},
		{"too large, not announced", maxBody + 1, -1, errTooLarge},
		{"cut off", 10, 11, errIncomplete},
		{"cut off later", 5 * firstPiece, 6 * firstPiece, errIncomplete},
	} {
		text := strings.Repeat("x", c.sent)
		b := newBodies(maxBodies, func() { t.Errorf("%s: cut", c.name) })
		got, err := b.read(bodyOf(strings.NewReader(text), int64(c.announced)), maxBody)
		if !errors.Is(err, c.want) || err == nil && string(got) != text {
			t.Errorf("%s: %d bytes, %v, want %v", c.name, len(got), err, c.want)
		}
		if b.taken != 0 || b.queue.Len() != 0 {
			t.Errorf("%s: %d bytes in %d bodies stay taken", c.name, b.taken, b.queue.Len())
		}
	}
}

// Who announces much and sends little takes little.
func TestBodies_takeWhatHasCome(t *testing.T) {
	for sent, want := range map[int]error{firstPiece - 1: errIncomplete, firstPiece: errNoRoom} {
		b := newBodies(1, func() {}) // there is room for first pieces only
		if _, err := b.read(bodyOf(strings.NewReader(strings.Repeat("x", sent)), maxBody), maxBody); !errors.Is(err, want) {
			t.Errorf("%d bytes of 1 MiB: %v, want %v", sent, err, want)
		}
	}
}

// Those who fill the room and stop give way, the first of them first; a callback that
// comes then is read.
func TestBodies_whoBeganFirst_givesWay(t *testing.T) {
	cut := 0
	b := newBodies(2*maxBody, func() { cut++ })
	type slow struct {
		client net.Conn
		done   chan error
	}
	var all []slow
	for range 3 {
		client, server := net.Pipe()
		s := slow{client, make(chan error, 1)}
		r := bodyOf(server, maxBody)
		r = r.WithContext(contextWith(r.Context(), &connection{Conn: server}))
		go func() {
			_, err := b.read(r, maxBody)
			s.done <- err
		}()
		if _, err := client.Write(make([]byte, maxBody-1)); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	select {
	case err := <-all[0].done:
		if !errors.Is(err, errNoRoom) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the first one holds its room")
	}
	for _, s := range all[1:] {
		if _, err := s.client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := <-s.done; err != nil {
			t.Error(err)
		}
	}
	if cut != 1 || b.taken != 0 {
		t.Errorf("%d were cut, %d bytes stay taken", cut, b.taken)
	}
}
