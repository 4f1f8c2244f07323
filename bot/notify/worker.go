package notify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/store"
)

const (
	// maxConflicts bounds how often records are read again because somebody else has
	// changed them; what is left is taken up at the next look.
	maxConflicts = 8
	// maxTaken bounds the events that are taken up in one put, with the groups of teams
	// that they change.
	maxTaken = 32
	// maxPending bounds the events that are stored and not taken up; over it the oldest
	// go. It is below what the stores keep, which drop in silence.
	maxPending = 1000
	// storeRetry is how long to wait when the records cannot be read or put.
	storeRetry = time.Second
	// maxSending bounds the messages under way at once: one for each address.
	maxSending = 8
	// An address gets so many messages in a minute.
	addressMessages, addressTime = 10, time.Minute
)

// run takes up events and sends messages until the notifier is stopped.
func (n *Notifier) run() {
	for {
		wait := n.round(n.ctx)
		timer := time.NewTimer(wait)
		select {
		case <-n.woken:
		case <-timer.C:
		case <-n.ctx.Done():
			timer.Stop()
			n.takeUp(context.WithoutCancel(n.ctx)) // else what was told would be lost
			return
		}
		timer.Stop()
	}
}

// round does all that is due, and says how long nothing will be.
func (n *Notifier) round(ctx context.Context) time.Duration {
	if len(n.Policy().Teams()) == 0 {
		return lookEvery
	}
	s := n.takeUp(ctx)
	if s == nil {
		return storeRetry
	}
	return n.send(ctx, s)
}

// state is what the records hold.
type state struct {
	groups    map[string]*group
	addresses map[string]store.Record
	events    []store.Record // not taken up yet
}

func (n *Notifier) load(ctx context.Context) (*state, error) {
	all, err := n.Records.Records(ctx, store.KindNotice)
	if err != nil {
		return nil, err
	}
	s := &state{groups: map[string]*group{}, addresses: map[string]store.Record{}}
	adjusted := 0 // no more than fit one put; the others follow
	for _, r := range all {
		switch {
		case strings.HasPrefix(r.Name, eventPrefix):
			s.events = append(s.events, r)
		case strings.HasPrefix(r.Name, addressPrefix):
			s.addresses[r.Name] = r
		case strings.HasPrefix(r.Name, groupPrefix):
			g, err := decode[group](r)
			if err != nil { // of another version of this program, perhaps
				n.quiet.Log("unreadable", n.Log.WithError(err), logrus.ErrorLevel, "the record of what a team was told cannot be read: the team may be told again")
			}
			g.record = r
			if adjusted < maxTaken && g.adjust(n.Clock.Now()) {
				adjusted++
			}
			s.groups[r.Name] = g
		}
	}
	return s, nil
}

// takeUp adds the events that were told, and those that others have stored, to their
// groups. It returns what there is then; nil: the records cannot be used now.
func (n *Notifier) takeUp(ctx context.Context) *state {
	for range maxConflicts {
		s, err := n.load(ctx)
		if err != nil {
			n.storeFailed(err)
			return nil
		}
		told, end := n.told()
		taken, told, dropped := n.fold(s, told)
		n.lookAtGivenUp(ctx, s)
		put := append(taken, n.changes(s)...)
		if len(put)+len(told) == 0 {
			return s
		}
		if store.CheckRecords(put) != nil {
			if n.most > 1 { // fewer events change fewer groups
				n.most /= 2
				continue
			}
			put, dropped = taken, append(dropped, told...) // else nobody would be told of anything again
		}
		switch err = n.Records.PutRecords(ctx, put...); {
		case err == nil:
			n.most = maxTaken
			n.untell(end)
			for _, e := range dropped {
				n.drop(e)
			}
		case !errors.Is(err, store.ErrConflict):
			n.storeFailed(err)
			return nil
		}
	}
	n.Stored() // there is more, or others are as busy: once more, soon
	s, err := n.load(ctx)
	if err != nil {
		return nil
	}
	return s
}

func (n *Notifier) storeFailed(err error) {
	if !errors.Is(err, context.Canceled) {
		n.quiet.Log("store", n.Log.WithError(err), logrus.ErrorLevel, "notifications cannot be read or stored: the staff is not told for now")
	}
}

// told are the first events of the queue, and how many the queue has had up to the last
// of them; untell takes them out.
func (n *Notifier) told() (told []Event, end int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	told = slices.Clone(n.queue[:min(len(n.queue), n.most)])
	return told, n.gone + len(told)
}

func (n *Notifier) untell(end int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if more := end - n.gone; more > 0 {
		n.queue, n.gone = n.queue[more:], end
	}
}

// fold adds events to their groups: those that were told, and stored ones. It returns
// the records of these without their values, the events, and those that are too many.
func (n *Notifier) fold(s *state, told []Event) (taken []store.Record, all, dropped []Event) {
	tooMany := len(s.events) - maxPending
	for i, r := range s.events[:min(len(s.events), n.most)] {
		switch e, err := decode[Event](r); {
		case err != nil:
		case i < tooMany:
			dropped = append(dropped, *e)
		default:
			told = append(told, *e)
		}
		r.Value = nil
		taken = append(taken, r)
	}
	now := n.Clock.Now()
	for _, e := range told {
		for _, team := range n.teams(e) {
			name := e.matter(team.Name)
			g := s.groups[name]
			if g == nil {
				if e.Over {
					continue // nobody was told that it began
				}
				g = &group{record: store.Record{Kind: store.KindNotice, Name: name}}
				s.groups[name] = g
			}
			g.add(team, e, now)
		}
	}
	return taken, told, dropped
}

// lookAtGivenUp ends what was told of transfers that were given up, where none is left:
// who retries or dismisses one may be any replica.
func (n *Notifier) lookAtGivenUp(ctx context.Context, s *state) {
	var left map[string]bool
	ended := 0
	for _, g := range s.groups {
		if ended == maxTaken {
			return
		}
		if g.Event.Kind != Failed || g.Event.Contact || !g.Told || g.Over || n.GivenUp == nil {
			continue
		}
		if left == nil {
			list, err := n.GivenUp(ctx)
			if err != nil {
				return
			}
			left = map[string]bool{}
			for _, t := range list {
				left[t.Target] = true
			}
		}
		if !left[g.Event.Target] {
			g.changed, ended = true, ended+1
			g.end("", n.Clock.Now())
		}
	}
}

// changes are the records of groups that have changed.
func (n *Notifier) changes(s *state) (changed []store.Record) {
	now := n.Clock.Now()
	for _, g := range s.groups {
		if !g.changed {
			continue
		}
		if r, err := g.encoded(now); err == nil {
			changed = append(changed, r)
		}
	}
	return changed
}

// send sends the messages that are due, one to each address at a time, and says when
// the next one will be.
func (n *Notifier) send(ctx context.Context, s *state) time.Duration {
	var due []*group
	now, next := n.Clock.Now(), n.Clock.Now().Add(lookEvery)
	for _, g := range s.groups {
		switch at := later(g.Due, g.Leased); {
		case !g.pending():
		case at.After(now):
			next = earlier(next, at)
		default:
			due = append(due, g)
		}
	}
	slices.SortFunc(due, func(a, b *group) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.record.Name, b.record.Name))
	})
	for _, g := range due {
		team := n.Policy().Team(g.Team)
		switch {
		case now.Sub(g.Since) >= keepFor:
			n.giveUp(ctx, g)
			continue
		case team == nil: // the file may be taken back
			continue
		}
		to := addressOf(team, n.sender.folder)
		if !n.begin(to) { // its end wakes the worker
			continue
		}
		report, wait := n.lease(ctx, s, g, to)
		if report == nil {
			n.ended(to)
			next = earlier(next, now.Add(wait))
			continue
		}
		n.work.Go(func() {
			n.deliver(ctx, g, team, report)
			n.ended(to)
			n.Stored()
		})
	}
	return max(0, next.Sub(n.Clock.Now()))
}

// begin reports whether a message to an address may be sent now: one at a time, so that
// an address that is slow holds up none but itself.
func (n *Notifier) begin(to string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sending[to] || len(n.sending) == maxSending {
		return false
	}
	n.sending[to] = true
	return true
}

func (n *Notifier) ended(to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.sending, to)
}
