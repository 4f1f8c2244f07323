package delivery

import (
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// What a transfer says, each with a MsgRandom of its own that never changes: words
// that are said again after a kill reach the customer once, because Desk knows
// them by it.
const (
	wordsBefore uint32 = iota
	wordsFailed
	wordsNobody
	wordsQueued
)

// say tells the customer what became of the transfer.
func (a *attempt) say(words *rules.Speech, which uint32) {
	a.speaker.say(a.speech(words.For(a.transfer.Language), which))
}

func (a *attempt) speech(text string, which uint32) *Speech {
	t := a.transfer
	m := &Speech{Name: a.name(), Session: t.Session, User: t.User, Service: t.Service, Rule: t.Rule, RequestID: t.RequestID, Text: text, Traceparent: a.span.Traceparent()}
	if t.SayAs != 0 {
		m.Random = t.SayAs + which
	}
	return m
}

// sayBefore tells the customer what comes before the transfer, which waits for
// it a moment only.
func (a *attempt) sayBefore() {
	t := a.transfer
	text := t.Say
	t.Say = ""
	if text == "" || a.started.Sub(t.Created) > speechLife {
		return
	}
	said := make(chan struct{})
	m := a.speech(text, wordsBefore)
	m.Done = func(bool) { close(said) }
	a.speaker.say(m)
	timer := time.NewTimer(sayFirst)
	defer timer.Stop()
	select {
	case <-said:
	case <-timer.C:
	}
}

// sayNobody tells the customer that nobody is there, or asks for words to be left:
// those are taken once the customer was asked.
func (a *attempt) sayNobody() {
	t := a.transfer
	text, take := rules.IfNobody(t.Chain)
	m := a.speech(text.For(t.Language), wordsNobody)
	if take != nil {
		m.Done = func(sent bool) {
			if sent {
				a.opt.AwaitWords(t.ID, t.Rule, t.RequestID, take)
			}
		}
	}
	a.speaker.say(m)
}

// textIfNobody is the chain's own text for "nobody is there", nil to leave the
// words to Desk's tip.
func textIfNobody(t *store.Transfer) *rules.Speech {
	text, _ := rules.IfNobody(t.Chain)
	return text
}

// apology is what a customer is told whose transfer failed for good. A chain that
// makes no sense, because of which we panic, has none.
func apology(t *store.Transfer) *rules.Speech {
	if target := t.Current(); target != nil {
		return target.SayIfFailed
	}
	if len(t.Chain) > 0 && t.Chain[0] != nil {
		return t.Chain[0].SayIfFailed
	}
	return nil
}
