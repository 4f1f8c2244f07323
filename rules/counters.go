package rules

import (
	"time"

	"escalator/rules/lang"
)

// Counters are what rules count in a conversation. Explain has them after the turn was counted, Tried before that and after
// the rules were tried.
type Counters struct {
	UserMessages int `json:"user_messages"` // since the bot phase began
	MissesInARow int `json:"misses_in_a_row"`
	Transfers    int `json:"transfers"`
	// Misses are all that are remembered, at most 16.
	Misses int `json:"misses"`
	// MissesOf is how many misses in a row make a rule hold that asks for nothing else; 0 where no rule does.
	MissesOf int `json:"misses_of,omitempty"`
	// LastMinute are the customer's messages of the last minute, where a rule has a rate. Repeats is how often the last
	// message was said, itself included, where a rule asks for that; 0 for one that does not count.
	LastMinute int `json:"last_minute,omitempty"`
	Repeats    int `json:"repeats,omitempty"`
	// Offer is the rule whose offer may be answered now, Words the one that the customer leaves words for.
	Offer string `json:"offer,omitempty"`
	Words string `json:"words,omitempty"`
	// Cooldowns are the rules that rest.
	Cooldowns []Cooldown `json:"cooldowns,omitempty"`
}

// Cooldown is a rule that rests, and for how many seconds more.
type Cooldown struct {
	Rule  string `json:"rule"`
	LeftS int64  `json:"left_s"`
}

// counters fills in those of the conversation.
func (e *evaluation) counters(n *Counters) {
	c, m, rest := e.c, e.c.recall(), n.Cooldowns[:0]
	*n = Counters{
		UserMessages: int(c.turns), MissesInARow: c.missed(e.now, e.p.sessionTTL.Milliseconds(), true, nil),
		Misses: c.missed(e.now, e.p.sessionTTL.Milliseconds(), false, nil), MissesOf: e.p.missesOf, Transfers: len(m.accepted), Offer: m.offer.rule, Words: m.recallRare().message.rule,
	}
	n.LastMinute = countSince(m.recallRare().users, e.now, time.Minute.Milliseconds())
	if e.counted&countedPrint != 0 {
		for _, l := range e.p.repeats {
			n.Repeats = max(n.Repeats, l.holds(e).have)
		}
	}
	if len(m.rules) > 0 || e.t.User != nil && len(e.t.User.cooldowns) > 0 {
		for _, r := range e.p.rules {
			if left := e.cooldownEnd(r, false) - e.now; left > 0 {
				rest = append(rest, Cooldown{r.id, (left + 999) / 1000})
			}
		}
	}
	n.Cooldowns = rest
}

// reset forgets all but the memory of the list.
func (n *Counters) reset() {
	clear(n.Cooldowns)
	*n = Counters{Cooldowns: n.Cooldowns[:0]}
}

// String is Line in English.
func (n Counters) String() string { return n.Line().String() }

// Line tells the counters in one line; what is rarely counted is told only where it was.
func (n Counters) Line() lang.Text {
	words := []lang.Text{lang.Say("user messages %d, misses in a row %d, transfers %d", n.UserMessages, n.MissesInARow, n.Transfers)}
	if n.Misses > n.MissesInARow {
		words = append(words, lang.Say("misses in all %d", n.Misses))
	}
	if n.LastMinute > 1 {
		words = append(words, lang.Say("messages in the last minute %d", n.LastMinute))
	}
	if n.Repeats > 1 {
		words = append(words, lang.Say("said %d times", n.Repeats))
	}
	if n.Offer != "" {
		words = append(words, lang.Say("open offer of %s", n.Offer))
	}
	if n.Words != "" {
		words = append(words, lang.Say("leaves words for %s", n.Words))
	}
	if len(n.Cooldowns) > 0 {
		var rest []string
		for _, c := range n.Cooldowns {
			rest = append(rest, c.Rule+" "+formatDuration(time.Duration(c.LeftS)*time.Second))
		}
		words = append(words, lang.Say("cooldown left: %s", lang.List(", ", rest...)))
	}
	return lang.Join(", ", words...)
}
