package journal

import (
	"strings"
	"testing"
	"testing/synctest"

	"escalator/bot/store"
)

// A record that makes no sense is reported, and harms no other.
func TestOpen_aRecordThatCannotBeRead_isReported(t *testing.T) {
	for name, b := range map[string][]byte{
		"no kind":           appendFixed(nil, ofRecord, "user", []byte{1, 0, 'x'}),
		"an unknown kind":   appendFixed(nil, ofRecord, "nonsense\x00a", []byte{1, 0, 'x'}),
		"no name":           appendFixed(nil, ofRecord, "user\x00", []byte{1, 0, 'x'}),
		"no version":        appendFixed(nil, ofRecord, "user\x00a", []byte{}),
		"no time":           appendFixed(nil, ofRecord, "user\x00a", []byte{1}),
		"a version too big": appendFixed(nil, ofRecord, "user\x00a", []byte(strings.Repeat("\xff", 20))),
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newSimDisk(nil, 1)
			w := begin(t, d)
			w.live()
			if err := w.putWords("a", []byte("kept")); err != nil {
				t.Fatal(err)
			}
			if err := w.store.do(func(to []byte) []byte { return append(to, b...) }, nil); err != nil {
				t.Fatal(err)
			}
			w.end()
			after := reopen(t, d)
			if len(after.problems) != 1 || after.left(store.KindWords)["a"] != "kept" || len(after.store.left.records) != 1 {
				t.Errorf("%s: reported %q, found %+v", name, after.problems, after.store.left.records)
			}
		})
	}
}
