package decisions

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"

	"escalator/rules/lang"
)

const (
	// maxEvents is how many events a reader may resume behind: of each decision that is
	// kept, that it was made and what became of it.
	maxEvents = 3 * Keep
	// maxBehind is how many events a reader may be behind before it is cut off.
	maxBehind = 256
	// firstSeq leaves room for what is restored, which comes before all that happens.
	firstSeq = 1 << 40
)

// ErrBehind says that a reader fell too far behind. It may resume.
var ErrBehind = errors.New("the reader of the decisions fell too far behind")

// The names of the events.
const (
	nameDecision = "decision"
	nameTransfer = "transfer"
	nameLabel    = "label"
)

// Event is a change that readers are told of.
type Event struct {
	ID     string // with which a reader resumes behind it
	seq    int64
	name   string
	of     *kept
	record *Record // as it was then

	mu   sync.Mutex
	text [lang.Languages][]byte // encoded once for all who watch
}

// Text returns the event as it stands in a stream of server-sent events, for a reader of that language.
func (e *Event) Text(l lang.Language) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.text[l] == nil {
		data, _ := json.Marshal(e.data(e.record.In(l))) // it cannot fail
		e.text[l] = append(append([]byte("event: "+e.name+"\nid: "+e.ID+"\ndata: "), data...), "\n\n"...)
	}
	return e.text[l]
}

// forgetText frees the memory of an event that nearly nobody will ask for again.
func (e *Event) forgetText() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = [lang.Languages][]byte{}
}

func (e *Event) data(r *Record) any {
	switch e.name {
	case nameTransfer:
		return struct {
			ID       string    `json:"id"`
			Transfer *Transfer `json:"transfer"`
		}{r.ID, r.Transfer}
	case nameLabel:
		return struct {
			ID      string `json:"id"`
			Label   string `json:"label"`
			LabelBy string `json:"label_by,omitempty"`
		}{r.ID, r.Label, r.LabelBy}
	}
	return r
}

func (e *Event) matches(f *Filter) bool {
	if e.of.gone.Load() {
		return false
	}
	if e.name == nameLabel {
		return f.matchesButLabel(e.record)
	}
	return f.matches(e.record)
}

// events are what happened, in the one order that all readers see. What was handed out of
// all is never written again.
type events struct {
	epoch string // tells the order of this process from that of another
	// shared says that other replicas may have another order: then an id says whose it means.
	shared  bool
	all     []*Event
	dropped int    // of all, since it moved
	next    int64  // counts them from firstSeq
	last    string // the id of the decision that came last
	news    bool   // some were not announced yet
}

// add puts an event at the end.
func (v *events) add(e *Event) (seq int64) {
	e.seq = firstSeq + v.next
	v.next++
	if e.name == nameDecision {
		v.last = e.record.ID
	}
	if e.ID = v.last; e.name != nameDecision || v.shared {
		e.ID = v.at(e.seq)
	}
	v.all = append(v.all, e)
	if n := len(v.all) - 1 - maxBehind; n >= 0 {
		v.all[n].forgetText()
	}
	if len(v.all) > maxEvents {
		v.all = dropFirst(v.all, &v.dropped)
	}
	v.news = true
	return e.seq
}

// at names a place that no decision names: behind the event of that number.
func (v *events) at(seq int64) string {
	return v.last + "." + v.epoch + "." + formatSeq(seq)
}

func formatSeq(seq int64) string { return strconv.FormatInt(seq, 36) }

// end is the number of the last event.
func (v *events) end() int64 { return firstSeq + v.next - 1 }

// after returns the events behind a number, and false where some are not kept any more.
func (v *events) after(seq int64) ([]*Event, bool) {
	if len(v.all) == 0 {
		return nil, seq == v.end()
	}
	n := seq + 1 - v.all[0].seq
	if n < 0 || n > int64(len(v.all)) {
		return nil, false
	}
	return v.all[n:], true
}

// Watcher reads the events that match, one after the other.
type Watcher struct {
	list   *List
	filter *Filter
	seen   int64 // the number of the last event that was looked at
	live   int64 // events up to this one happened before it watched: it may be behind with them
}

// Watch returns what reads the events behind the one with an id ("": those to come). gap
// says that it is not known which those are: then those to come. It waits a while for what
// is being restored, and no longer than ctx.
func (l *List) Watch(ctx context.Context, f *Filter, after string) (w *Watcher, gap bool) {
	seq, known := l.place(after)
	if !known {
		select {
		case <-l.restored:
		case <-ctx.Done():
		}
		seq, known = l.place(after)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.events.end()
	if _, all := l.events.after(seq); !known || !all {
		return &Watcher{l, f, end, end}, true
	}
	return &Watcher{l, f, seq, end}, false
}

// place returns the number of the event with an id.
func (l *List) place(id string) (seq int64, known bool) {
	l.settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	if id == "" {
		return l.events.end(), true
	}
	decision, place, exact := strings.Cut(id, ".")
	if epoch, number, _ := strings.Cut(place, "."); exact && epoch == l.events.epoch {
		seq, err := strconv.ParseInt(number, 36, 64)
		return seq, err == nil
	}
	if exact && l.Feed != nil {
		return 0, false // another replica's order may be another one
	}
	k := l.byID[decision]
	if k == nil {
		return 0, false
	}
	return k.seq, true
}

// ID names the place of the reader, for one that has seen nothing else to resume at.
func (w *Watcher) ID() string {
	w.list.mu.Lock()
	defer w.list.mu.Unlock()
	v := &w.list.events
	if n := len(v.all); n > 0 && w.seen >= v.all[0].seq && w.seen <= v.end() {
		return v.all[w.seen-v.all[0].seq].ID
	}
	return v.at(w.seen)
}

// Next waits for events that match, until ctx ends. The error is ErrBehind or that of ctx.
func (w *Watcher) Next(ctx context.Context) (matching []*Event, err error) {
	for {
		w.list.mu.Lock()
		news, all := w.list.events.after(w.seen)
		changed := w.list.changed
		w.list.mu.Unlock()
		if !all {
			return nil, ErrBehind
		}
		behind := 0
		for _, e := range news {
			w.seen = e.seq
			if !e.matches(w.filter) {
				continue
			}
			matching = append(matching, e)
			if e.seq > w.live {
				behind++
			}
		}
		switch {
		case behind > maxBehind:
			return nil, ErrBehind
		case len(matching) > 0:
			return matching, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
