package suggest

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"escalator/rules"
	"escalator/rules/replay"
	"escalator/rules/score"
)

// lastWords is how many of the customer's messages before a hand-over are learnt from.
const lastWords = 3

// Case is one thing to learn from: a labelled message or dialogue, or a conversation as it happened.
type Case struct {
	// Source is where it was read, for people: a file and a line, or a conversation.
	Source string

	labelled *replay.Record
	events   []replay.Event // of a conversation, up to the moment when it was with a person or should have been
	user     string         // whose it is; "" where that is not known
	texts    []string       // the customer's messages that are learnt from
	wants    bool           // a person was wanted
	heard    bool           // and called at the first word
}

// Labelled makes a case of a line with a label; not ok for one without.
func Labelled(rec *replay.Record) (c Case, ok bool) {
	if !score.Labelled(rec) {
		return c, false
	}
	c.labelled = rec
	if rec.Turns == nil {
		c.texts = []string{rec.Text}
		return c, true
	}
	for _, said := range rec.Turns {
		if said.Role == "agent" {
			break
		}
		if said.Role == "user" {
			c.texts = append(c.texts, said.Text)
		}
	}
	if *rec.Transferred {
		c.texts = last(c.texts)
	}
	return c, true
}

// Happened makes cases of the events of one conversation, one for each time with the bot. A person was wanted where the customer got to one, by
// whatever way, or where a counter was one short. The rules have missed it if they did not call on an earlier message:
// then somebody had to ask again, or the bot had to fail first.
func Happened(p *rules.Policy, events []replay.Event) (cases []Case) {
	player, c := replay.NewPlayer(p), Case{}
	end := func(wants, called bool) {
		c.wants, c.heard = wants, called && len(c.texts) == 0
		if wants {
			c.texts = last(c.texts)
		}
		if len(c.texts) > 0 || c.heard {
			cases = append(cases, c)
		}
		c = Case{}
	}
	human, near := false, false
	for _, e := range events {
		steps := player.Play(e)
		d := steps[len(steps)-1].Decision
		called := slices.ContainsFunc(steps, func(s replay.Step) bool { return calls(s.Decision) })
		reached := e.Turn == nil && (e.Observe == rules.EventWithHuman || e.Observe == rules.EventTransferring || e.Observe == rules.EventAgentMessage)
		switch {
		case e.Turn == nil && e.Observe == rules.EventClosed, e.Turn != nil && e.Turn.Kind == rules.StartTurn:
			if !human {
				end(near, false)
			}
			human, near, c = false, false, Case{}
		case e.Turn == nil && e.Observe == rules.EventNoAgent: // nobody was there: the bot goes on
			human, near, c = false, false, Case{}
		case human:
		case called || reached:
			end(true, called)
			human = true
		default:
			near = near || d.Near != "" && d.NearReason == ""
			if c.events = append(c.events, e); e.User != "" {
				c.user = e.User
			}
			if e.Turn != nil && e.Turn.Kind == rules.UserTurn && e.Turn.Text != "" && !e.Ask {
				c.texts = append(c.texts, e.Turn.Text)
			}
		}
	}
	if !human {
		end(near, false)
	}
	return cases
}

// Contradicts reports whether a person has said otherwise of a message than is guessed of its conversation.
func (c *Case) Contradicts(text string, wanted bool) bool {
	return c.labelled == nil && c.wants != wanted && slices.Contains(c.texts, text)
}

func last(texts []string) []string { return texts[max(0, len(texts)-lastWords):] }

func calls(d rules.Decision) bool {
	return d.Outcome == rules.OutcomeTransfer || d.Outcome == rules.OutcomeOffer
}

// judge says whether a policy calls a person in the case, and whether it should.
func (c *Case) judge(p *rules.Policy, in *Input) (wants, called bool) {
	if c.labelled != nil {
		s := score.Scorer{Policy: p, Positive: in.Positive, At: in.At}
		v := s.Judge(c.labelled)
		return v.Want, v.Got
	}
	if c.heard {
		return true, true
	}
	player := replay.NewPlayer(p)
	for _, e := range c.events {
		if e.Turn != nil {
			turn := *e.Turn
			turn.UserID, turn.SessionID = "", "" // everybody is in every share, as in eval
			e.Turn = &turn
		}
		for _, s := range player.Play(e) {
			if calls(s.Decision) {
				return c.wants, true
			}
		}
	}
	return c.wants, false
}

// verdict is what a policy does with a case.
type verdict struct{ wants, called bool }

// judgeAll judges cases on all processors, in their order. It is not ok when ctx ended before.
func judgeAll(ctx context.Context, p *rules.Policy, in *Input, cases []*Case) (all []verdict, ok bool) {
	all = make([]verdict, len(cases))
	part := len(cases)/cmp.Or(in.Workers, runtime.GOMAXPROCS(0)) + 1
	var workers sync.WaitGroup
	for from := 0; from < len(cases); from += part {
		workers.Go(func() {
			for i := from; i < min(from+part, len(cases)) && ctx.Err() == nil; i++ {
				all[i].wants, all[i].called = cases[i].judge(p, in)
			}
		})
	}
	workers.Wait()
	return all, ctx.Err() == nil
}

// Input is what Find works with.
type Input struct {
	Rules rules.Set
	Cases []Case
	// Positive is the label of messages whose writers want a person; At is when labelled ones are said.
	Positive string
	At       time.Time
	Most     int // suggestions
	// Workers are the goroutines that judge; 0: one for each processor.
	Workers int
	// Progress is told how many candidates were tried; it may be nil.
	Progress func(tried, of int)
}
