package journal

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// simDisk is a folder that keeps all that was ever done to it, so that a test can ask
// what a loss of power at any moment would have left.
type simDisk struct {
	mu    sync.Mutex
	files map[string]*simFile
	trace []simEvent
	rand  *rand.Rand // for what a failed sync loses

	latency time.Duration // of a sync
	slow    bool          // others get on while it writes
	full    bool          // writes that need room fail, after a part
	noSync  bool          // syncs fail
	hang    chan struct{}
	initial map[string][]byte
}

// simFile is a file as programs see it now.
type simFile struct {
	disk    *simDisk
	number  int
	content []byte
}

// simEvent is one thing that happened.
type simEvent struct {
	kind     string // write, sync, create, rename, remove, syncdir, or what the test notes
	file     int
	name, to string
	at       int64
	data     []byte
	note     any
}

func newSimDisk(left map[string][]byte, seed uint64) *simDisk {
	d := &simDisk{initial: left, rand: rand.New(rand.NewPCG(seed, 1))}
	return d.killed(0)
}

// note puts something of the test's own into the trace.
func (d *simDisk) note(what any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trace = append(d.trace, simEvent{kind: "note", note: what})
}

func (d *simDisk) log(e simEvent) { d.trace = append(d.trace, e) }

func (d *simDisk) names() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.files)), nil
}

func (d *simDisk) open(name string) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return nil, syscall.ENOENT
	}
	return &simReader{f, bytes.NewReader(bytes.Clone(f.content))}, nil
}

type simReader struct {
	*simFile
	*bytes.Reader
}

func (r *simReader) Close() error                       { return nil }
func (r *simReader) WriteAt([]byte, int64) (int, error) { panic("a reader writes") }

func (d *simDisk) create(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &simFile{disk: d, number: len(d.trace)}
	d.files[name] = f
	d.log(simEvent{kind: "create", file: f.number, name: name})
	return f, nil
}

func (d *simDisk) holds(name string, f file) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[name] == f
}

func (d *simDisk) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[from]
	if f == nil {
		return syscall.ENOENT
	}
	delete(d.files, from)
	d.files[to] = f
	d.log(simEvent{kind: "rename", file: f.number, name: from, to: to})
	return nil
}

func (d *simDisk) remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[name] == nil {
		return syscall.ENOENT
	}
	delete(d.files, name)
	d.log(simEvent{kind: "remove", name: name})
	return nil
}

func (d *simDisk) sync(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[name]; f != nil {
		d.log(simEvent{kind: "sync", file: f.number})
		return nil
	}
	d.log(simEvent{kind: "syncdir"})
	return nil
}

func (f *simFile) WriteAt(b []byte, at int64) (int, error) {
	f.disk.wait()
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := len(b)
	if f.disk.full && at+int64(n) > int64(len(f.content)) {
		n = f.disk.rand.IntN(n + 1)
	}
	if grow := int(at) + n - len(f.content); grow > 0 {
		f.content = append(f.content, make([]byte, grow)...)
	}
	copy(f.content[at:], b[:n])
	f.disk.log(simEvent{kind: "write", file: f.number, at: at, data: bytes.Clone(b[:n])})
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *simFile) Sync() error {
	f.disk.wait()
	<-time.After(f.disk.latency)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.noSync {
		f.disk.log(simEvent{kind: "badsync", file: f.number, at: int64(f.disk.rand.Uint64() >> 1)})
		return syscall.EIO
	}
	f.disk.log(simEvent{kind: "sync", file: f.number})
	return nil
}

func (f *simFile) Close() error { return nil }

func (d *simDisk) wait() {
	d.mu.Lock()
	hang, turns := d.hang, 0
	if d.slow {
		turns = d.rand.IntN(200)
	}
	d.mu.Unlock()
	for range turns { // to sleep would stop a test's time while somebody waits for a lock
		runtime.Gosched()
	}
	if hang != nil {
		<-hang
	}
}

func (d *simDisk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// size is what the files take.
func (d *simDisk) size() (bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		bytes += int64(len(f.content))
	}
	return bytes
}

// image is a folder that is being rebuilt.
type image struct {
	names    map[string]int
	dir      []simEvent // names that are not durable yet
	durable  map[int][]byte
	unsynced map[int][]simEvent
}

// replayed is the folder after the first n events, with what is not synced apart.
func (d *simDisk) replayed(n int) image {
	m := image{names: map[string]int{}, durable: map[int][]byte{}, unsynced: map[int][]simEvent{}}
	number := -1
	for _, name := range slices.Sorted(maps.Keys(d.initial)) {
		m.names[name], m.durable[number] = number, d.initial[name]
		number--
	}
	for _, e := range d.trace[:n] {
		m.replay(e)
	}
	return m
}

// after rebuilds the folder as a loss of power leaves it behind the first n events: of
// what was not synced, any subset of names and of sectors is there.
func (d *simDisk) after(n int, r *rand.Rand) map[string][]byte {
	m := d.replayed(n)
	chance := func() bool { return r.IntN(2) == 0 }
	for _, e := range m.dir {
		if chance() {
			m.apply(e)
		}
	}
	left := map[string][]byte{}
	for name, file := range m.names {
		left[name] = m.content(file, chance)
	}
	return left
}

// killed is the disk as the process leaves it that is killed after the first n events.
// The machine goes on: all is there, and what was not synced can still be lost.
func (d *simDisk) killed(n int) *simDisk {
	m := d.replayed(n)
	for _, e := range m.dir {
		m.apply(e)
	}
	k := &simDisk{files: map[string]*simFile{}, initial: d.initial, rand: d.rand, trace: slices.Clone(d.trace[:n])}
	for name, file := range m.names {
		k.files[name] = &simFile{disk: k, number: file, content: m.content(file, func() bool { return true })}
	}
	return k
}

func (m *image) content(file int, there func() bool) []byte {
	content := bytes.Clone(m.durable[file])
	for _, e := range m.unsynced[file] {
		content = tornWrite(content, e, there)
	}
	return content
}

func (m *image) replay(e simEvent) {
	switch e.kind {
	case "create", "rename", "remove":
		m.dir = append(m.dir, e)
	case "syncdir":
		for _, e := range m.dir {
			m.apply(e)
		}
		m.dir = nil
	case "write":
		m.unsynced[e.file] = append(m.unsynced[e.file], e)
	case "sync":
		for _, w := range m.unsynced[e.file] {
			m.durable[e.file] = tornWrite(m.durable[e.file], w, func() bool { return true })
		}
		m.unsynced[e.file] = nil
	case "badsync": // what it could not write is dropped, and no later sync says so
		lost := rand.New(rand.NewPCG(uint64(e.at), 2))
		for _, w := range m.unsynced[e.file] {
			m.durable[e.file] = tornWrite(m.durable[e.file], w, func() bool { return lost.IntN(2) == 0 })
		}
		m.unsynced[e.file] = nil
	}
}

func (m *image) apply(e simEvent) {
	switch e.kind {
	case "create":
		m.names[e.name] = e.file
	case "rename":
		file := e.file
		if file < 0 {
			file = m.names[e.name]
		}
		delete(m.names, e.name)
		m.names[e.to] = file
	case "remove":
		delete(m.names, e.name)
	}
}

// tornWrite puts those sectors of a write that got there into content.
func tornWrite(content []byte, e simEvent, there func() bool) []byte {
	for at := e.at; at < e.at+int64(len(e.data)); {
		end := min(at-at%sector+sector, e.at+int64(len(e.data)))
		if there() {
			if grow := int(end) - len(content); grow > 0 {
				content = append(content, make([]byte, grow)...)
			}
			copy(content[at:end], e.data[at-e.at:])
		}
		at = end
	}
	return content
}
