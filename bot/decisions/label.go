package decisions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
	"escalator/rules/lang"
)

// What a label says of a decision.
const (
	Right = "right"
	Wrong = "wrong"
)

var (
	// ErrUnknown says that no decision of that id is kept, nor a label of one.
	ErrUnknown = lang.Errorf("no decision with this id is kept: only the newest 10,000 and those in the history are")
	// ErrNoRecords says that labels are kept nowhere.
	ErrNoRecords = lang.Errorf("labels cannot be kept here")
)

// Label says who called a decision right or wrong. It outlives the decision, so it holds
// what `eval` needs of it.
type Label struct {
	Label string    `json:"label"` // Right or Wrong; "": taken back
	By    string    `json:"by,omitempty"`
	Why   string    `json:"why,omitempty"`
	At    time.Time `json:"at"`

	ID      string        `json:"id"`
	Made    time.Time     `json:"made"` // when the decision was
	Session string        `json:"session,omitempty"`
	User    string        `json:"user,omitempty"`
	Rule    string        `json:"rule,omitempty"`
	Near    string        `json:"near,omitempty"`
	Outcome rules.Outcome `json:"outcome"`
	Text    string        `json:"text,omitempty"` // masked; "": there are no words, so it counts and teaches nothing
}

// record is what is known of a decision that only its label remembers.
func (a *Label) record() *Record {
	return &Record{ID: a.ID, At: a.Made, Session: a.Session, User: a.User, Rule: a.Rule, Near: a.Near, Outcome: a.Outcome, Text: a.Text, Label: a.Label, LabelBy: a.By}
}

// of notes which decision it is about.
func (a *Label) of(r *Record) {
	a.ID, a.Made, a.Session, a.User, a.Rule, a.Near, a.Outcome, a.Text = r.ID, r.At, r.Session, r.User, r.Rule, r.Near, r.Outcome, r.Text
}

// labelled returns a record with a label.
func labelled(r *Record, a *Label) *Record {
	changed := *r
	changed.Label, changed.LabelBy = a.Label, a.By
	return &changed
}

// SetLabel keeps that somebody calls a decision right or wrong, or nothing any more, and
// returns the decision. The error may be ErrUnknown, ErrNoRecords or one of the store.
func (l *List) SetLabel(ctx context.Context, id string, a Label) (*Record, error) {
	if l.Records == nil {
		return nil, ErrNoRecords
	}
	if !IsID(id) {
		return nil, ErrUnknown
	}
	r := l.Find(id)
	if r == nil {
		r = l.quietTurn(ctx, id)
	}
	a.By, a.Why, a.At = mask.Clip(a.By), mask.Clip(a.Why), l.Wall().UTC()
	l.labelMu.Lock() // what is kept last is shown last
	defer l.labelMu.Unlock()
	err := store.UpdateRecord(ctx, l.Records, store.KindLabel, id, func(kept *store.Record) (bool, error) {
		before := readLabel(kept.Value)
		if r == nil && before == nil {
			return false, ErrUnknown
		}
		if r == nil {
			r = before.record()
		}
		a.of(r)
		there := kept.Value != nil
		if kept.Value = nil; a.Label != "" {
			kept.Value, _ = json.Marshal(&a) // it cannot fail
		}
		return there || kept.Value != nil, nil
	})
	if err != nil {
		return nil, err
	}
	if a.Label == "" {
		a.By = ""
	}
	l.put(change{label: &a, of: id})
	return labelled(r, &a), nil
}

// quietTurn returns a turn of which no decision is kept, nil if the history has none.
func (l *List) quietTurn(ctx context.Context, id string) (found *Record) {
	at, _ := timeOf(id)
	if l.History == nil {
		return nil
	}
	gathered := make(chan *Record, 1)
	_, err := l.History.Each(ctx, at, func(e *history.Entry) {
		if e.Kind == history.Turn && (e.ID == id || e.ID == "" && e.At.Equal(at) && quietID(e) == id) {
			r := OfTurn(e)
			r.ID = id
			select {
			case gathered <- r:
			default:
			}
		}
	})
	if err != nil {
		return nil
	}
	select {
	case found = <-gathered:
	default:
	}
	return found
}

// readLabel reads what is kept, nil where that is nothing, or nothing that makes sense.
func readLabel(value []byte) *Label {
	a := &Label{}
	if len(value) == 0 || json.Unmarshal(value, a) != nil {
		return nil
	}
	return a
}

// Labels returns all that are kept, those first that were put first.
func (l *List) Labels(ctx context.Context) (all []*Label, err error) {
	if l.Records == nil {
		return nil, nil
	}
	records, err := l.Records.Records(ctx, store.KindLabel)
	if err != nil {
		return nil, fmt.Errorf("reading the labels: %w", err)
	}
	for _, r := range records {
		if a := readLabel(r.Value); a != nil {
			all = append(all, a)
		}
	}
	return all, nil
}

// lesson is a label as `eval` reads it (CONTRACT.md 6).
type lesson struct {
	Text  string    `json:"text"`
	Label string    `json:"label"` // human or other
	ID    string    `json:"id"`
	Rule  string    `json:"rule,omitempty"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at"`
}

// Wanted reports whether, by the label, the customer wanted a person.
func (a *Label) Wanted() bool { return a.record().called() == (a.Label == Right) }

// Lessons returns the labels as JSON lines for `escalator eval`, and of how many others no
// words are kept: those say nothing there.
func (l *List) Lessons(ctx context.Context) (lines []byte, wordless int, err error) {
	all, err := l.Labels(ctx)
	if err != nil {
		return nil, 0, err
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	for _, a := range all {
		if a.Text == "" {
			wordless++
			continue
		}
		wants := "other"
		if a.Wanted() {
			wants = "human"
		}
		if err := out.Encode(lesson{a.Text, wants, a.ID, a.Rule, a.By, a.At}); err != nil {
			return nil, 0, err
		}
	}
	return b.Bytes(), wordless, nil
}

// Forgotten counts what was removed of a user.
type Forgotten struct{ Decisions, Labels int }

// Forget removes the decisions of a user, here and for all replicas, and of the labels all
// but the figure.
func (l *List) Forget(ctx context.Context, user string) (f Forgotten, err error) {
	user = mask.Clip(user)
	theirs := forgettingOf(user, l.Wall())
	l.settle()
	l.mu.Lock()
	for _, k := range l.all {
		if theirs.means(k.now.Load()) {
			f.Decisions++
		}
	}
	l.mu.Unlock()
	l.put(change{forgotten: theirs})
	l.settle()
	if err = l.forgetShared(ctx, user); err != nil {
		return f, err
	}
	l.labelMu.Lock()
	defer l.labelMu.Unlock()
	all, err := l.Labels(ctx)
	for _, a := range all {
		if a.User != user || err != nil {
			continue
		}
		f.Labels++
		a.User, a.Session, a.Text, a.Why = "", "", "", ""
		value, _ := json.Marshal(a) // it cannot fail
		// Removed, and not changed: what is removed stays in no file.
		if _, err = store.RemoveRecord(ctx, l.Records, store.KindLabel, a.ID); err == nil {
			err = store.UpdateRecord(ctx, l.Records, store.KindLabel, a.ID, func(kept *store.Record) (bool, error) {
				kept.Value = value
				return true, nil
			})
		}
	}
	return f, err
}

// forget removes the decisions of a user. Those who read a list still pass them over.
func (l *List) forget(theirs *forgetting) {
	var left []*kept
	for _, k := range l.all {
		if !theirs.means(k.now.Load()) {
			left = append(left, k)
			continue
		}
		k.gone.Store(true)
		delete(l.byID, k.id)
	}
	l.all = left
	for _, e := range l.events.all {
		if e.of.gone.Load() {
			e.forgetText()
		}
	}
}
