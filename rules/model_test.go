package rules

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The models here are as naive as can be: they keep the whole story and count it anew for every question.

// exchangeStory is one message of the customer and what the bot made of it.
type exchangeStory struct {
	last  string // "", "miss" or "good": what the last telling bot message was
	at    time.Time
	spent bool // the rule has fired in it, or after it
}

func TestMisses_equalANaiveModel(t *testing.T) {
	for _, inARow := range []string{"true", "false"} {
		p := load(t, `
rules: [{id: stuck, when: {bot_missed: {times: 3, within: 5m, consecutive: `+inARow+`}}, then: {keep: true}, cooldown: 0s}]`)
		rapid.Check(t, func(r *rapid.T) {
			k := newTalk(t, p)
			story := []exchangeStory{{}}
			for range rapid.IntRange(1, 80).Draw(r, "turns") {
				k.wait(time.Duration(rapid.IntRange(0, 100).Draw(r, "seconds")) * time.Second)
				now := &story[len(story)-1]
				told := func(what string) { now.last, now.at = what, k.now }
				var d Decision
				switch rapid.SampledFrom([]string{"user", "user", "miss", "miss", "marked picture", "good", "thinking", "picture"}).Draw(r, "turn") {
				case "user":
					story = append(story, exchangeStory{})
					d = k.user("x")
				case "miss":
					told("miss")
					d = k.miss()
				case "marked picture":
					told("miss")
					d = k.turn(Turn{Kind: BotTurn, Sends: SendsImage, Mark: "clarify"})
				case "good":
					told("good")
					d = k.bot("好")
				case "thinking":
					d = k.turn(Turn{Kind: BotTurn, Text: "…", Mark: "thinking"})
				case "picture":
					d = k.turn(Turn{Kind: BotTurn, Text: " ", Sends: SendsImage})
				}
				if want, got := modelMisses(story, k.now, inARow == "true") >= 3, d.Outcome == OutcomeKeep; want != got {
					r.Fatalf("the model counts %d of %+v, the rule fires: %v", modelMisses(story, k.now, inARow == "true"), story, got)
				}
				if d.Outcome == OutcomeKeep {
					for i := range story {
						story[i].spent = true
					}
				}
			}
		})
	}
}

func modelMisses(story []exchangeStory, now time.Time, inARow bool) int {
	n := 0
	for _, e := range slices.Backward(story) {
		switch {
		case e.last == "miss" && !e.spent && now.Sub(e.at) <= 5*time.Minute:
			n++
		case e.last == "good" && inARow:
			return n
		}
	}
	return n
}

// guardModel decides about requests by what happened before, straight from RULES.md 6.
type guardModel struct {
	phase     Phase
	fired     time.Time // the zero time: never
	noAgent   time.Time
	confirmed time.Time
	accepted  []time.Time
}

func (m *guardModel) ask(now time.Time) string {
	switch {
	case m.phase == PhaseTransferring:
		return "suppressed ask already_transferring"
	case m.phase != PhaseBot && now.Sub(m.confirmed) < time.Minute:
		return "suppressed ask already_" + m.phase.String()
	}
	cooldown, since := 2*time.Minute, m.fired
	if !m.noAgent.IsZero() && !m.noAgent.Before(m.fired) {
		cooldown, since = 30*time.Second, m.noAgent
	}
	if !since.IsZero() && now.Sub(since) < cooldown {
		return "suppressed ask cooldown"
	}
	count := 0
	for _, at := range m.accepted {
		if now.Sub(at) < time.Hour {
			count++
		}
	}
	if count >= 2 {
		return "suppressed ask per_session"
	}
	m.phase, m.fired = PhaseTransferring, now
	return "transfer ask"
}

func (m *guardModel) settle(r Result, now time.Time) {
	switch r {
	case ResultAssigned, ResultQueued:
		m.accepted = append(m.accepted, now)
		m.confirmed, m.phase = now, map[Result]Phase{ResultAssigned: PhaseHuman, ResultQueued: PhaseQueued}[r]
	case ResultAlreadyHuman:
		m.confirmed, m.phase = now, PhaseHuman
	case ResultAlreadyQueued:
		m.confirmed, m.phase = now, PhaseQueued
	case ResultSessionGone:
		*m = guardModel{accepted: m.accepted}
	case ResultNoAgent:
		m.phase, m.noAgent = PhaseBot, now
	default:
		m.phase = PhaseBot
	}
}

func (m *guardModel) observe(k EventKind, now time.Time) {
	switch {
	case k == EventSessionBegin || k == EventClosed:
		*m = guardModel{accepted: m.accepted}
	case k == EventWithHuman || k == EventAgentMessage:
		m.phase, m.confirmed = PhaseHuman, now
	case k == EventTransferring && (m.phase == PhaseBot || m.phase == PhaseQueued):
		m.phase, m.confirmed = PhaseQueued, now
	case k == EventNoAgent && m.phase != PhaseTransferring:
		m.phase = PhaseBot
	}
}

func TestGuardsAndPhases_equalANaiveModel(t *testing.T) {
	p := load(t, "defaults: {session_ttl: 7d}\nlimits: {per_session: 2/1h}\n"+askRule)
	rapid.Check(t, func(r *rapid.T) {
		k := newTalk(t, p)
		var m guardModel
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			k.wait(time.Duration(rapid.IntRange(1, 600).Draw(r, "seconds")) * time.Second)
			switch rapid.SampledFrom([]string{"ask", "ask", "settle", "observe", "chat"}).Draw(r, "step") {
			case "ask":
				want := m.ask(k.now)
				d := k.user("转人工")
				if got := d.Outcome.String() + " " + d.Rule + map[bool]string{true: " " + string(d.Reason)}[d.Reason != ""]; got != want {
					r.Fatalf("got %q, the model says %q", got, want)
				}
			case "settle":
				if m.phase != PhaseTransferring {
					continue
				}
				result := Result(rapid.IntRange(0, int(ResultDismissed)).Draw(r, "result"))
				m.settle(result, k.now)
				p.Settle(&k.c, nil, "ask", result, k.now)
			case "observe":
				event := EventKind(rapid.IntRange(0, int(EventAgentMessage)).Draw(r, "event"))
				m.observe(event, k.now)
				k.observe(event)
			case "chat":
				k.bot("您好")
			}
			if k.c.Phase() != m.phase {
				r.Fatalf("phase %s, the model says %s", k.c.Phase(), m.phase)
			}
		}
	})
}

// A mood adds weights one by one and never falls below zero; the conversation keeps one step for each message.
func TestMood_equalsANaiveModel(t *testing.T) {
	p := load(t, `
lists: {furious: {骗子: 3, 垃圾: 2, 谢谢: -2}}
rules: [{id: r, when: {mood: {list: furious, at_least: 6, within: 5m}}, then: {keep: true}, cooldown: 0s}]`)
	weights := map[string]int{"骗子": 3, "垃圾": 2, "谢谢": -2, "你好": 0}
	type said struct {
		at    time.Time
		words []string
	}
	rapid.Check(t, func(r *rapid.T) {
		k := newTalk(t, p)
		var story []said
		for range rapid.IntRange(1, 14).Draw(r, "messages") {
			k.wait(time.Duration(rapid.IntRange(0, 120).Draw(r, "seconds")) * time.Second)
			words := rapid.SliceOfN(rapid.SampledFrom([]string{"骗子", "垃圾", "谢谢", "你好"}), 1, 5).Draw(r, "words")
			story = append(story, said{k.now, words})
			text, sum := "", 0
			for _, w := range words {
				text += w + "，"
			}
			for _, s := range story {
				for _, w := range s.words {
					if k.now.Sub(s.at) <= 5*time.Minute {
						sum = max(0, sum+weights[w])
					}
				}
			}
			if got := k.user(text).Outcome == OutcomeKeep; got != (sum >= 6) {
				r.Fatalf("the model sums up %d of %+v, the rule fires: %v", sum, story, got)
			}
		}
	})
}
