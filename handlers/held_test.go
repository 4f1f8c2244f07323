package handlers

import "testing"

// What is worked on is bounded in bytes too; what is small is let in all the same.
func TestShed_largeBodies_areBoundedTogether(t *testing.T) {
	s := newShed(maxInProgress)
	large := 0
	for s.enter(maxBody) {
		large++
	}
	if large != maxHeld/maxBody {
		t.Errorf("%d bodies of 1 MiB are let in, want %d", large, maxHeld/maxBody)
	}
	if s.enter(smallBody+1) || !s.enter(smallBody) {
		t.Error("beside them small bodies are let in, and no others")
	}
	s.leave(smallBody)
	s.leave(maxBody)
	if !s.enter(maxBody) {
		t.Error("in the place of one that has left none is let in")
	}
	for range large {
		s.leave(maxBody)
	}
	if s.held.Load() != 0 || len(s.places) != 0 {
		t.Errorf("%d bytes and %d places stay taken", s.held.Load(), len(s.places))
	}
}
