package cli

import (
	"strings"
	"testing"
	"time"
)

func TestInOrder_bringsBackTheOrderOfTime_withinItsLateness(t *testing.T) {
	begin := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	q := &inOrder{}
	var got strings.Builder
	add := func(ms int, name string) {
		q.add(begin.Add(time.Duration(ms)*time.Millisecond), func() { got.WriteString(name) })
	}
	add(0, "a")
	add(2000, "d")
	add(1500, "b") // answered late
	add(1500, "c") // at the same time, and written after it
	if got.Len() > 0 {
		t.Errorf("%s ran while it could be overtaken", &got)
	}
	q.add(begin.Add(6500*time.Millisecond), func() {
		q.put(begin.Add(7*time.Second), func() { got.WriteString("f") }) // what comes of it
		got.WriteString("e")
	})
	if got.String() != "abc" {
		t.Errorf("ran %q", &got)
	}
	add(8000, "g")
	add(100, "!") // another file, of an earlier time: at once, as it was written
	q.finish()
	if got.String() != "abcd!efg" && got.String() != "abc!defg" {
		t.Errorf("ran %q", &got)
	}
	if !q.newest.Equal(begin.Add(8 * time.Second)) {
		t.Errorf("ends at %s", q.newest)
	}
}
