package rules

import (
	"slices"
	"time"

	"escalator/rules/lang"
)

// This file tells what a policy holds to whoever compares it with Desk's own settings.

// OwnWords is a text that the file has customers told.
type OwnWords struct {
	Of     lang.Text // "rule ask-human", "target sales"
	Key    string    // "say", "offer", "say_if_queued", …
	Speech *Speech
	// Calls says that a transfer follows the words; Queued that they are for a customer in the queue.
	Calls, Queued bool
}

// OwnWords are the texts of the rules that are on and of the targets, in the order of the file; the built-in sentence is not
// among them.
func (p *Policy) OwnWords() (all []OwnWords) {
	add := func(w OwnWords) {
		if w.Speech != nil && w.Speech != builtinFailure && w.Speech.For("") != "" {
			all = append(all, w)
		}
	}
	for _, r := range p.rules {
		if r.mode == ModeOff {
			continue
		}
		add(OwnWords{Of: lang.Say("rule %s", r.id), Key: "say", Speech: r.say, Calls: r.goal != nil, Queued: r.queues})
		add(OwnWords{Of: lang.Say("rule %s", r.id), Key: "offer", Speech: r.offer})
	}
	for _, t := range p.Targets() {
		of := lang.Say("target %s", t.ID)
		add(OwnWords{Of: of, Key: "say_if_queued", Speech: t.SayIfQueued})
		add(OwnWords{Of: of, Key: "say_if_closed", Speech: t.SayIfClosed})
		add(OwnWords{Of: of, Key: "say_if_no_agent", Speech: t.SayIfNoAgent})
		add(OwnWords{Of: of, Key: "say_if_failed", Speech: t.SayIfFailed})
		if t.TakeMessage != nil {
			add(OwnWords{Of: of, Key: "take_message", Speech: t.TakeMessage.Say})
		}
	}
	return all
}

// Targets are those of the file, in the order of their ids.
func (p *Policy) Targets() (all []*Target) {
	for _, id := range sortedKeys(p.targets) {
		all = append(all, p.targets[id])
	}
	return all
}

// CallsMiss reports whether words of the bot count as a miss by what they say. known is false where words decide nothing:
// no rule counts misses, or the file knows them by marks alone.
func (p *Policy) CallsMiss(words string) (miss, known bool) {
	if p.missSays == nil {
		return false, false
	}
	e := p.begin(&Conversation{}, &Turn{Kind: BotTurn, Text: words, At: time.Unix(0, 0)})
	defer e.end()
	return p.missSays.find(e).ok, true
}

// Entries are the consultation entries that `ai_provider` names.
func (p *Policy) Entries() []string {
	return slices.DeleteFunc(sortedKeys(p.providers), func(id string) bool { return id == everyEntry })
}

// Answerers are all who may answer at an entry, those outside of a share included; nil where the file leaves it to the
// settings.
func (p *Policy) Answerers(entry string) []string {
	at, ok := p.providers[entry]
	if !ok || entry == everyEntry {
		at, ok = p.providers[everyEntry]
	}
	switch {
	case !ok:
		return nil
	case at.others == "" || at.others == at.first:
		return []string{at.first}
	}
	return []string{at.first, at.others}
}

// Week is when a target is open in a week without holidays.
type Week struct {
	Calendar, Zone string
	Days           [7][]Span // by time.Weekday
}

// Span is a time of a day in minutes after midnight, To not included.
type Span struct{ From, To int }

// Week is the target's usual week by the calendar of its `open`, what goes over midnight on the day on which it lies;
// nil: it is always open.
func (t *Target) Week() *Week {
	k := t.calendar
	if k == nil {
		return nil
	}
	w := &Week{Calendar: k.name, Zone: k.zone.String()}
	for day, all := range k.week {
		if k.shut[day] {
			continue
		}
		for _, h := range all {
			w.Add(time.Weekday(day), h.from, h.to)
		}
	}
	w.Join()
	return w
}

// Add adds a time of a day; to may lie on the day after.
func (w *Week) Add(day time.Weekday, from, to int) {
	w.Days[day] = append(w.Days[day], Span{from, min(to, minutesADay)})
	if to > minutesADay {
		next := (day + 1) % 7
		w.Days[next] = append(w.Days[next], Span{0, to - minutesADay})
	}
}

// Join puts the times of each day in order, and makes one of those that touch, so that equal weeks are equal.
func (w *Week) Join() {
	for day, spans := range w.Days {
		slices.SortFunc(spans, func(a, b Span) int { return a.From - b.From })
		joined := spans[:0]
		for _, s := range spans {
			if last := len(joined) - 1; last >= 0 && s.From <= joined[last].To {
				joined[last].To = max(joined[last].To, s.To)
				continue
			}
			joined = append(joined, s)
		}
		w.Days[day] = joined
	}
}

// NamedAgent is an agent whom the file names.
type NamedAgent struct {
	Of lang.Text
	ID string
}

// NamedAgents are the agents whom targets, rules and conditions name, each with the first that does.
func (p *Policy) NamedAgents() (all []NamedAgent) {
	add := func(of lang.Text, ids []string) {
		for _, id := range ids {
			if !slices.ContainsFunc(all, func(a NamedAgent) bool { return a.ID == id }) {
				all = append(all, NamedAgent{of, id})
			}
		}
	}
	for _, t := range p.Targets() {
		add(lang.Say("target %s", t.ID), t.Agents)
	}
	for _, r := range p.rules {
		add(lang.Say("rule %s", r.id), r.agents)
	}
	add(lang.Raw("agents_online"), p.asks.Agents)
	return all
}
