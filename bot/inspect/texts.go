package inspect

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/lang"
)

// place is a set of texts and hours of Desk: an entry's own, or one that entries share.
type place struct {
	name  lang.Text // "entry @shop (zh)"
	texts desk.Texts
}

// places are all sets that Desk told of, in order.
func (s *side) places() (all []place) {
	add := func(of lang.Text, texts map[string]desk.Texts) {
		for _, language := range slices.Sorted(maps.Keys(texts)) {
			all = append(all, place{lang.Say("%s (%s)", of, language), texts[language]})
		}
	}
	for _, e := range s.entries.value {
		add(lang.Say("entry %s", e.ID), e.Texts)
	}
	for _, c := range s.settings.value.Items {
		add(lang.Say("setting %s", c.ID), c.Texts)
	}
	return all
}

// prompt is a text that Desk says by itself, and what of ours comes at the same time.
type prompt struct {
	name    string
	ours    func(w *rules.OwnWords) bool
	certain bool // Desk says it whatever we ask for
	wayOut  lang.Text
}

var prompts = []prompt{
	{"TransferToHumanPrompt", func(w *rules.OwnWords) bool { return w.Key == "say" && w.Calls }, true, "switch it off in the console, or take `say` out of the rules"},
	{"TransferToHumanFailPrompt", func(w *rules.OwnWords) bool {
		return w.Key == "say_if_no_agent" || w.Key == "take_message" || w.Key == "say_if_failed"
	}, false, "let a customer ask while nobody is online; where both come, switch it off in the console"},
	{"QueueingPrompt", func(w *rules.OwnWords) bool { return w.Key == "say_if_queued" || w.Key == "say" && w.Queued }, true, "switch it off in the console, or take our text out"},
	{"NotWorkTimePrompt", func(w *rules.OwnWords) bool { return w.Key == "say_if_closed" }, false, "let a customer ask outside of the hours; where both come, switch it off in the console"},
}

// textLines finds what customers would be told twice.
func (s *side) textLines() (all []Finding) {
	places, words := s.places(), s.Policy.OwnWords()
	if len(places) == 0 {
		return nil
	}
	for _, p := range prompts {
		var ours []lang.Text
		for i := range words {
			if p.ours(&words[i]) {
				ours = append(ours, lang.Say("%s (%s)", words[i].Of, words[i].Key))
			}
		}
		if len(ours) > 0 {
			all = append(all, p.against(places, ours)...)
		}
	}
	if len(all) == 0 {
		all = append(all, Finding{Check: "texts", OK: true, Detail: "nothing that the rules say is said by Desk as well"})
	}
	return all
}

// against compares one text of Desk with ours.
func (p *prompt) against(places []place, ours []lang.Text) []Finding {
	var on []string
	var where []lang.Text
	text, unknown := "", false
	for i := range places {
		words := places[i].texts.ByName[p.name]
		off, told := places[i].texts.Disabled[p.name]
		if words == "" || off {
			continue
		}
		unknown = unknown || !told
		text = cmp.Or(text, words)
		on = append(on, words)
		where = append(where, places[i].name)
	}
	if len(on) == 0 {
		return nil
	}
	would := lang.Text("customers would get both: ")
	if !p.certain || unknown {
		would = "customers may get both: "
	}
	f := Finding{Check: "texts", OK: true, WayOut: p.wayOut}
	f.Detail = lang.Say("%s%s%s, and Desk's %s of %s, %s", warning, would, someOf(ours), p.name, someOf(where), quoted(text))
	if unknown {
		f.Detail = lang.Say("%s (Desk does not say whether it is on)", f.Detail)
	}
	if slices.ContainsFunc(on, tellsPlace) {
		f.Detail = lang.Say("%s; Desk tells the place in the queue there, so leave it to Desk", f.Detail)
	}
	return []Finding{f}
}

// tellsPlace reports whether a text of Desk tells the customer's place in the queue.
func tellsPlace(text string) bool {
	return strings.Contains(text, "${QueuePosition}") || strings.Contains(text, "${WaitNo}")
}

// excuseLines compares what Desk's robot says when it does not understand with what counts
// as a miss.
func (s *side) excuseLines() (all []Finding) {
	seen := map[string]bool{}
	for i := range s.robots {
		r := &s.robots[i].value
		if !s.robots[i].known() || r.Fallback == "" || seen[r.Fallback] {
			continue
		}
		seen[r.Fallback] = true
		f := Finding{Check: "robot", OK: true}
		switch miss, known := s.Policy.CallsMiss(r.Fallback); {
		case !known:
			f.Detail = lang.Say("its excuse %s is not looked for: no rule counts misses by words", quoted(r.Fallback))
		case miss:
			f.Detail = lang.Say("its excuse %s counts as a miss", quoted(r.Fallback))
		default:
			f.Detail = lang.Say("%sits excuse %s does not count as a miss, unless the message is marked as one", warning, quoted(r.Fallback))
			f.WayOut = lang.Say("signals: {bot_missed: {says: [$bot_missed, %q]}}", r.Fallback)
		}
		all = append(all, f)
	}
	if i := slices.IndexFunc(s.robots, func(r answer[desk.RobotConfig]) bool { return r.value.ToAgent != nil && *r.value.ToAgent }); i >= 0 {
		all = append(all, s.twoCallers()...)
	}
	return all
}

// twoCallers warns where Desk's robot and the rules both ask who wants a person.
func (s *side) twoCallers() []Finding {
	var offers []lang.Text
	words := s.Policy.OwnWords()
	for i := range words {
		if words[i].Key == "offer" {
			offers = append(offers, words[i].Of)
		}
	}
	f := Finding{Check: "robot", OK: true, Detail: lang.Say("%sDesk's robot also finds out who wants a person (ToAgentEnable), so a customer may be transferred by either", warning), WayOut: "switch it off in the robot's settings, or leave it and count on Desk to take a session once"}
	if len(offers) > 0 {
		f.Detail = lang.Say("%s; beside it ask %s (offer)", f.Detail, someOf(offers))
	}
	return []Finding{f}
}
