package bot

import (
	"testing"
	"time"
	"unsafe"
)

// With a rule about silence each conversation has an alarm: a million of them must not take what a
// million callbacks take while they are worked on.
func TestAlarm_isSmall_andKnowsWhoseItIs(t *testing.T) {
	if size := unsafe.Sizeof(alarm{}); size > 128 {
		t.Errorf("an alarm takes %d bytes", size)
	}
	for _, c := range []struct{ id, session, user, service string }{
		{"s1", "s1", "", ""},
		{"im:a%7Cb|@service", "", "a|b", "@service"},
	} {
		if a := newAlarm(c.id, time.Time{}); a.id != c.id || a.session != c.session || a.user != c.user || a.service != c.service {
			t.Errorf("of %s: %+v", c.id, a)
		}
	}
}
