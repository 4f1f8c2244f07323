package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"escalator/bot/store"
)

// naive is what a history of files must do, done by looking through all bytes.
type naive struct {
	r       *rapid.T
	dir     string
	now     time.Time
	local   *local
	reports []string
	written []store.HistoryRow // all that was ever taken, in order
	gone    map[string]bool    // what was forgotten, by its data
	torn    map[string]bool
}

const (
	testMax  = 64 << 10
	testKeep = 12 * time.Hour
)

func (m *naive) open() {
	o := Options{Dir: m.dir, For: testKeep, Max: testMax, Now: func() time.Time { return m.now }}
	l, err := openLocal(&o)
	if err != nil {
		m.r.Fatal(err)
	}
	l.report = func(problem string) { m.reports = append(m.reports, problem) }
	m.local = l
	go l.load(l.endSegment())
	if rapid.Bool().Draw(m.r, "loaded first") {
		<-l.loaded
	}
}

func (m *naive) close() {
	<-m.local.loaded
	m.local.close()
}

func (m *naive) files() (names []string, contents [][]byte) {
	names, _ = filepath.Glob(filepath.Join(m.dir, "*"))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			m.r.Fatal(err)
		}
		contents = append(contents, b)
	}
	return names, contents
}

func (m *naive) append(r *rapid.T) {
	var rows []store.HistoryRow
	for range rapid.IntRange(1, 30).Draw(r, "rows") {
		m.now = m.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(r, "seconds")) * time.Second)
		n := rapid.IntRange(0, 5).Draw(r, "session")
		row := store.HistoryRow{Session: fmt.Sprint("s", n), User: fmt.Sprint("u", n/2), At: m.now}
		if rapid.IntRange(0, 3).Draw(r, "user") == 0 {
			row.User = ""
		}
		row.Data = fmt.Appendf(nil, "<%06d%s>", len(m.written)+len(rows), strings.Repeat(".", rapid.IntRange(0, 300).Draw(r, "length")))
		rows = append(rows, row)
	}
	if lost, err := m.local.append(rows); lost != 0 || err != nil {
		r.Fatalf("lost %d: %v", lost, err)
	}
	m.written = append(m.written, rows...)
}

func (m *naive) restart(r *rapid.T) {
	m.close()
	if names, contents := m.files(); len(names) > 0 && rapid.Bool().Draw(r, "torn") {
		last, b := names[len(names)-1], contents[len(names)-1]
		b = b[:len(b)-rapid.IntRange(0, min(len(b), 700)).Draw(r, "cut")]
		for _, row := range m.written { // what is cut is lost, and nothing else
			if bytes.Contains(contents[len(names)-1], row.Data) && !bytes.Contains(b, row.Data) {
				m.torn[string(row.Data)] = true
			}
		}
		b = append(b, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(r, "junk")...)
		if err := errors.Join(os.WriteFile(last, b, 0o600), os.Chtimes(last, m.now, m.now)); err != nil {
			r.Fatal(err)
		}
	}
	m.open()
}

func (m *naive) forget(r *rapid.T) {
	name := rapid.SampledFrom([]string{"u0", "u1", "s0", "s3", "nobody", ""}).Draw(r, "whom")
	theirs := map[string]bool{name: true}
	for _, row := range m.present() {
		if row.User == name && name != "" {
			theirs[row.Session] = true
		}
	}
	closed := m.local.endSegment()
	if _, err := m.local.forget(context.Background(), closed, name); err != nil {
		r.Fatal(err)
	}
	for _, row := range m.written {
		if theirs[row.Session] && row.Session != "" {
			m.gone[string(row.Data)] = true
		}
	}
}

// betweenFiles keeps the torn end of one file and the head of the next from looking like an entry.
var betweenFiles = []byte("\n")

// present is what is on disk.
func (m *naive) present() (rows []store.HistoryRow) {
	_, contents := m.files()
	all := bytes.Join(contents, betweenFiles)
	for _, row := range m.written {
		if bytes.Contains(all, row.Data) {
			rows = append(rows, row)
		}
	}
	return rows
}

// check compares what is read, and what lies on disk, with what should.
func (m *naive) check(r *rapid.T) {
	names, contents := m.files()
	all := bytes.Join(contents, betweenFiles)
	if size := len(all) - max(len(contents)-1, 0)*len(betweenFiles); size > testMax {
		r.Fatalf("%d bytes on disk", size)
	}
	want, removed := map[string][]string{}, true
	for _, row := range m.written {
		data := string(row.Data)
		there := bytes.Contains(all, row.Data)
		switch {
		case m.gone[data]:
			if there {
				r.Fatalf("%s was forgotten and lies on disk", data)
			}
			continue
		case m.torn[data]:
			continue
		}
		if removed = removed && !there; !removed && !there {
			r.Fatalf("%s is gone, and an older one is not", data)
		}
		if there {
			want[row.Session] = append(want[row.Session], data)
		}
	}
	for n := range 6 {
		session := fmt.Sprint("s", n)
		var got []string
		if _, err := m.local.read(context.Background(), session, func(entry []byte) bool { got = append(got, string(entry)); return true }); err != nil {
			r.Fatal(err)
		}
		slices.Reverse(got)
		if diff := cmp.Diff(want[session], got); diff != "" {
			r.Fatalf("%s in %d files (-want +got):\n%s", session, len(names), diff)
		}
	}
}

func TestLocal_doesWhatTheNaiveOneDoes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &naive{r: r, dir: t.TempDir(), now: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), gone: map[string]bool{}, torn: map[string]bool{}}
		m.open()
		defer m.close()
		r.Repeat(map[string]func(*rapid.T){
			"append":  m.append,
			"more":    m.append,
			"restart": m.restart,
			"forget":  m.forget,
			"expire": func(r *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(r, "hours")) * time.Hour)
				<-m.local.loaded // until then the age of a file counts, which is not that of the model's clock
				if err := m.local.expire(); err != nil {
					r.Fatal(err)
				}
				for _, row := range m.present() { // an entry lies at most a twelfth of the time longer, and until the next one
					if late := m.now.Sub(row.At); late > testKeep+testKeep/agesOfOne+5*time.Minute {
						r.Fatalf("%s is %s old", row.Data, late)
					}
				}
			},
			"": m.check,
		})
	})
}

func newTestLocal(t *testing.T, dir string) *local {
	t.Helper()
	var problems []string
	l, err := openLocal(&Options{Dir: dir, For: testKeep, Max: testMax, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	l.report = func(problem string) { problems = append(problems, problem) }
	l.load(l.endSegment())
	t.Cleanup(l.close)
	t.Cleanup(func() { t.Log(problems) })
	return l
}

func readAll(t *testing.T, l *local, session string) (entries []string, older bool) {
	t.Helper()
	older, err := l.read(t.Context(), session, func(entry []byte) bool { entries = append(entries, string(entry)); return true })
	if err != nil {
		t.Fatal(err)
	}
	return entries, older
}

func TestLocal_aDamagedEntry_endsItsConversation_andNoOther(t *testing.T) {
	dir := t.TempDir()
	l := newTestLocal(t, dir)
	for i, session := range []string{"a", "b", "a", "b", "a"} {
		if _, err := l.append([]store.HistoryRow{{Session: session, At: time.Now(), Data: fmt.Appendf(nil, "%s%d", session, i)}}); err != nil {
			t.Fatal(err)
		}
	}
	l.close()
	path := l.path(1)
	b, _ := os.ReadFile(path)
	b[bytes.Index(b, []byte("a2"))] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	l = newTestLocal(t, dir)
	if got, older := readAll(t, l, "a"); !slices.Equal(got, []string{"a4"}) || !older {
		t.Errorf("a: %q, older %t", got, older)
	}
	if got, older := readAll(t, l, "b"); !slices.Equal(got, []string{"b3", "b1"}) || older {
		t.Errorf("b: %q, older %t", got, older)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s", info.Mode())
	}
}

// What was written while the old files were still being read belongs to what is found
// there, also after another restart.
func TestLocal_whatIsWrittenWhileLoading_joinsWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	row := func(data string) []store.HistoryRow {
		return []store.HistoryRow{{Session: "a", User: "u", At: time.Now(), Data: []byte(data)}}
	}
	l := newTestLocal(t, dir)
	_, _ = l.append(row("1"))
	l.close()
	l, err := openLocal(&Options{Dir: dir, For: testKeep, Max: testMax, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	old := l.endSegment()
	_, _ = l.append(row("2"))
	_, _ = l.append(row("3"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.read(ended, "a", nil); !errors.Is(err, ErrLoading) {
		t.Errorf("while loading: %v", err)
	}
	l.load(old)
	for range 2 {
		if got, older := readAll(t, l, "a"); !slices.Equal(got, []string{"3", "2", "1"}) || older {
			t.Errorf("%q, older %t", got, older)
		}
		l.close()
		l = newTestLocal(t, dir)
	}
}

// The old files may be read to their end just while an entry is on its way to the disk.
func TestLocal_whatIsOnItsWayWhenLoadingEnds_joinsWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	rows := func(data ...string) (rows []store.HistoryRow) {
		for _, d := range data {
			rows = append(rows, store.HistoryRow{Session: "a", User: "u", At: time.Now(), Data: []byte(d)})
		}
		return rows
	}
	l := newTestLocal(t, dir)
	_, _ = l.append(rows("1"))
	l.close()
	l, err := openLocal(&Options{Dir: dir, For: testKeep, Max: testMax, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	old := l.endSegment()
	if lost, err := l.prepare(rows("2", "3")); lost > 0 || err != nil {
		t.Fatal(lost, err)
	}
	l.load(old)
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	_, _ = l.append(rows("4"))
	if got, older := readAll(t, l, "a"); !slices.Equal(got, []string{"4", "3", "2", "1"}) || older {
		t.Errorf("%q, older %t", got, older)
	}
	l.close()
}

func TestLocal_aFolderThatIsRemoved_isMadeAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "history")
	l := newTestLocal(t, dir)
	row := []store.HistoryRow{{Session: "a", At: time.Now(), Data: []byte("1")}}
	_, _ = l.append(row)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.expire(); err != nil {
		t.Fatal(err)
	}
	if lost, err := l.append(row); lost > 0 || err != nil {
		t.Fatal(lost, err)
	}
	if got, older := readAll(t, l, "a"); len(got) != 1 || !older {
		t.Errorf("%q, older %t", got, older)
	}
}

func TestLocal_theRestsOfTornEntries_areForgottenToo(t *testing.T) {
	for name, tear := range map[string]func(b []byte) []byte{
		"killed while it was written": func(b []byte) []byte { return b[:len(b)-5] },
		"killed, with what came after": func(b []byte) []byte {
			return appendFrame(b[:len(b)-5], meta{session: nameHash("other"), at: 1}, []byte("kept"))
		},
		"damaged in the middle":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"only its words are left": func(b []byte) []byte { return append(make([]byte, 5000), b[len(b)-40:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := newTestLocal(t, dir)
			words := "what only Ann said, and said again, to be long enough"
			_, _ = l.append([]store.HistoryRow{{Session: "a", User: "ann", At: time.Now(), Data: []byte(words)}})
			l.close()
			path := l.path(1)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tear(b), 0o600); err != nil {
				t.Fatal(err)
			}
			l = newTestLocal(t, dir)
			if _, err := l.forget(t.Context(), l.endSegment(), "ann"); err != nil {
				t.Fatal(err)
			}
			if b, err = os.ReadFile(path); err != nil || bytes.Contains(b, []byte("said again")) {
				t.Errorf("%v; on disk there is still %q", err, b)
			}
			if kept, _ := readAll(t, l, "other"); strings.HasSuffix(name, "came after") && !slices.Equal(kept, []string{"kept"}) {
				t.Errorf("of another there is %q", kept)
			}
			if gaps, err := scan(path, func(int64, meta, []byte) bool { return true }); err != nil || len(gaps) > 0 {
				t.Errorf("what was overwritten is still no entry: %v, %v", gaps, err)
			}
		})
	}
}
