package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func (m *decidingModel) stops(r *modelRule) string {
	imagined := func(q *modelRule) bool { return m.mode(q) == "shadow" && m.of(q).awayIn == m.epoch }
	if m.mode(r) == "shadow" && (imagined(r) || m.fileMode == "shadow" && m.anyAway()) {
		return "already_transferring"
	}
	switch {
	case m.phase == PhaseBot:
		return ""
	case m.phase == PhaseTransferring:
		return "already_transferring"
	case m.user && (r.action == "transfer" || r.action == "closed") && m.now.Sub(m.confirmed) >= time.Minute:
		return "" // Desk is asked
	}
	return "already_" + m.phase.String()
}

// anyAway looks at all rules, a muted one too: its transfer would be under way.
func (m *decidingModel) anyAway() bool {
	for key, past := range m.past {
		if strings.HasSuffix(key, " in shadow") && past.awayIn == m.epoch {
			return true
		}
	}
	return false
}

func (m *decidingModel) rests(r *modelRule) string {
	p := m.of(r)
	if strings.HasPrefix(r.action, "offer") && p.offeredIn == m.epoch && p.firedAtAll {
		since := p.fired
		if m.offer != nil && m.offer.rule == r {
			since = m.offer.at
		}
		if !p.offerOver && m.now.Sub(since) <= 5*time.Minute {
			return "offer_pending"
		}
		return "offer_declined"
	}
	wait, since := r.cooldown, p.fired
	if p.nobodyCame {
		since = p.noAgent
		if m.bySays(r) {
			wait = min(wait, 30*time.Second)
		}
	}
	if p.firedAtAll && m.now.Sub(since) < wait {
		return "cooldown"
	}
	return ""
}

func (m *decidingModel) overLimit() bool {
	n := 0
	for _, at := range m.accepted {
		if m.now.Sub(at) < time.Hour {
			n++
		}
	}
	return n >= 2
}

// walk tries rules from top to bottom and gives the one that decides, and its outcome.
func (m *decidingModel) walk(rules []*modelRule) (*modelRule, string) {
	var resting *modelRule
	rest := ""
	for _, r := range rules {
		if m.holds(r.when, r) != "yes" || r.action == "offer closed" || resting != nil && !m.bySays(r) {
			continue
		}
		if why := m.stops(r); why != "" {
			return r, "suppressed " + why
		}
		if why := m.rests(r); why != "" {
			if resting == nil {
				resting, rest = r, "suppressed "+why
			}
			continue
		}
		if r.action != "keep" && m.overLimit() {
			return r, "suppressed per_session"
		}
		return r, r.action
	}
	return resting, rest
}

// inMode are the rules of a mode, and one more in its place.
func (m *decidingModel) inMode(mode string, and *modelRule) (rules []*modelRule) {
	for _, r := range m.rules {
		if m.mode(r) == mode || r == and {
			rules = append(rules, r)
		}
	}
	return rules
}

func (m *decidingModel) fire(r *modelRule, action string) {
	p := m.of(r)
	p.fired, p.firedAtAll, p.nobodyCame = m.now, true, false
	for _, x := range m.story {
		x.spent[m.key(r)] = true
	}
	switch {
	case action == "offer":
		p.offeredIn, p.offerOver = m.epoch, false
	case action == "transfer" && m.mode(r) == "shadow":
		p.awayIn = m.epoch
	case action == "transfer":
		m.phase = PhaseTransferring
		m.endOffer()
	}
}

func (m *decidingModel) endOffer() {
	if m.offer != nil {
		m.past[m.offer.rule.id].offerOver = true
		m.offer = nil
	}
}

// decide gives "outcome rule reason | words" and, for each shadow rule that would act, the same.
func (m *decidingModel) decide() (decision string, would []string) {
	name := func(r *modelRule, action string) string {
		return strings.TrimSpace(fmt.Sprintf("%s %s | %s", action, r.id, strings.Join(m.matched(r), " ")))
	}
	var fired []*modelRule
	if m.fileMode == "shadow" {
		if r, action := m.walk(m.inMode("shadow", nil)); r != nil && !strings.HasPrefix(action, "suppressed") {
			fired = append(fired, r)
		}
	} else {
		for _, s := range m.inMode("shadow", nil) {
			if r, action := m.walk(m.inMode("enforce", s)); r == s && !strings.HasPrefix(action, "suppressed") {
				fired = append(fired, s)
			}
		}
	}
	for _, s := range fired {
		would = append(would, name(s, s.action))
	}
	r, action := m.walk(m.inMode("enforce", nil))
	decision = "none"
	if r != nil {
		decision = name(r, action)
	}
	for _, s := range fired {
		m.fire(s, s.action)
	}
	switch answer := m.answer(); {
	case r != nil && !strings.HasPrefix(action, "suppressed"):
		m.fire(r, action)
	case answer != "":
		asked := m.offer.rule
		m.endOffer()
		switch {
		case answer == "no":
			return "declined " + asked.id, would
		case m.overLimit():
			return "suppressed per_session " + asked.id + " |", would
		}
		m.fire(asked, "transfer")
		return "accepted " + asked.id, would
	}
	return decision, would
}

// answer is what the message says to the offer that is open.
func (m *decidingModel) answer() string {
	if m.offer == nil || !m.user || m.phase != PhaseBot || m.mode(m.offer.rule) != "enforce" || len(m.words) != 1 {
		return ""
	}
	return map[string]string{"jawohl": "yes", "keineswegs": "no"}[m.words[0]]
}

// hear books a message of the customer, tell one of the bot.
func (m *decidingModel) hear(words []string) {
	m.user, m.words = true, words
	m.story = append(m.story, &modelExchange{spent: map[string]bool{}})
	m.turns++
	if m.offer != nil {
		if m.offer.left == 0 || m.now.Sub(m.offer.at) > 5*time.Minute {
			m.endOffer()
		} else {
			m.offer.left--
		}
	}
	for _, w := range words {
		m.said = append(m.said, modelSaid{w, m.now})
	}
}

func (m *decidingModel) tell(what string) {
	m.user, m.words = false, nil
	if x := m.story[len(m.story)-1]; what != "" {
		x.last, x.at = what, m.now
	}
}

func (m *decidingModel) settle(r *modelRule, result Result) {
	switch result {
	case ResultAssigned, ResultQueued:
		m.accepted = append(m.accepted, m.now)
		m.phase, m.confirmed = map[Result]Phase{ResultAssigned: PhaseHuman, ResultQueued: PhaseQueued}[result], m.now
	case ResultAlreadyHuman, ResultAlreadyQueued:
		m.phase, m.confirmed = map[Result]Phase{ResultAlreadyHuman: PhaseHuman, ResultAlreadyQueued: PhaseQueued}[result], m.now
	case ResultSessionGone:
		m.fresh()
	case ResultNoAgent:
		for key, p := range m.past {
			if key == r.id || strings.HasSuffix(key, " in shadow") && p.awayIn == m.epoch {
				p.noAgent, p.nobodyCame = m.now, true
			}
		}
		m.toBot()
	default:
		m.toBot()
	}
}

// tells writes a decision as the model does.
func tells(d Decision) (decision string, would []string) {
	name := func(outcome Outcome, rule string, reason Reason, matched []Match) string {
		return strings.TrimSpace(fmt.Sprintf("%s %s | %s", strings.TrimSpace(outcome.String()+" "+string(reason)), rule, strings.Join(texts(matched), " ")))
	}
	for _, w := range d.Would {
		would = append(would, name(w.Outcome, w.Rule, "", w.Matched))
	}
	switch {
	case d.Rule == "":
		return "none", would
	case d.Reason == ReasonOfferAccepted:
		return "accepted " + d.Rule, would
	case d.Reason == ReasonOfferDeclined && d.Outcome == OutcomeNone:
		return "declined " + d.Rule, would
	case d.Outcome == OutcomeClosed:
		d.Reason = ""
	}
	return name(d.Outcome, d.Rule, d.Reason, d.Matched), would
}

// drawWords is a message: words of the conditions, or an answer.
func drawWords(t *rapid.T) []string {
	if rapid.IntRange(0, 4).Draw(t, "answers") == 0 {
		return rapid.SampledFrom([][]string{{"jawohl"}, {"jawohl"}, {"keineswegs"}, {"jawohl", "keineswegs"}}).Draw(t, "answer")
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(modelWords), 1, 3, func(s string) string { return s }).Draw(t, "words")
}

// modelFile is a random file, without a policy if its conditions contradict each other.
type modelFile struct {
	rules      []*modelRule
	mode, text string
	policy     *Policy
}

func drawFile(t *rapid.T) modelFile {
	f := modelFile{rules: drawRules(t), mode: rapid.SampledFrom([]string{"enforce", "enforce", "shadow"}).Draw(t, "mode")}
	f.text = "version: 1\nmode: " + f.mode + `
defaults: {session_ttl: 7d}
limits: {per_session: 2/1h}
calendars: {sundays: {tz: UTC, open: [sun 00:00-00:01]}}
targets: {default: {}, never: {open: sundays}}
signals: {bot_missed: {says: []}}
lists: {yes: {add: [jawohl]}, no: {add: [keineswegs]}}
rules:
`
	for _, r := range f.rules {
		f.text += r.yaml()
	}
	f.policy, _ = Load([]byte(f.text), LoadOptions{})
	return f
}

func TestDeciding_equalsAPlainModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := rapid.Custom(drawFile).Filter(func(f modelFile) bool { return f.policy != nil }).Draw(r, "file")
		m := &decidingModel{rules: f.rules, fileMode: f.mode, now: start}
		m.fresh()
		k := newTalk(t, f.policy)
		var under *modelRule // whose transfer is under way
		for range rapid.IntRange(20, 60).Draw(r, "steps") {
			k.wait(time.Duration(rapid.SampledFrom([]int{1, 5, 29, 31, 70, 130, 290, 400}).Draw(r, "seconds")) * time.Second)
			m.now = k.now
			m.muted = ""
			turn := Turn{Kind: BotTurn}
			switch rapid.SampledFrom([]string{"user", "user", "user", "user", "miss", "miss", "good", "picture", "settle", "settle", "settle", "session", "agent"}).Draw(r, "step") {
			case "user":
				words := drawWords(r)
				turn = Turn{Text: strings.Join(words, " ")}
				m.hear(words)
			case "miss":
				turn.Mark = "fallback"
				m.tell("miss")
			case "good":
				turn.Text = "one two three"
				m.tell("good")
			case "picture":
				turn.Sends = SendsImage
				m.tell("")
			case "settle":
				if m.phase == PhaseTransferring {
					result := Result(rapid.IntRange(0, int(ResultDismissed)).Draw(r, "result"))
					m.settle(under, result)
					k.p.Settle(&k.c, nil, under.id, result, k.now)
				}
				continue
			case "agent":
				m.phase, m.confirmed = PhaseHuman, m.now
				k.observe(EventAgentMessage)
				continue
			case "session":
				m.fresh()
				k.observe(EventSessionBegin)
				continue
			}
			if rapid.IntRange(0, 9).Draw(r, "mutes") == 0 {
				m.muted = rapid.SampledFrom(m.rules).Draw(r, "muted").id
				turn.Muted = Muted{m.muted: {Until: k.now.Add(time.Second)}}
			}
			want, wantWould := m.decide()
			d := k.turn(turn)
			got, gotWould := tells(d)
			if got != want || !slices.Equal(gotWould, wantWould) {
				r.Fatalf("%s\n%s %q: got %q, would %q; the model says %q, would %q", f.text, turn.Kind, turn.Text, got, gotWould, want, wantWould)
			}
			if k.c.Phase() != m.phase {
				r.Fatalf("%s\nphase %s, the model says %s", f.text, k.c.Phase(), m.phase)
			}
			i := slices.IndexFunc(m.rules, func(rule *modelRule) bool { return rule.id == d.Rule })
			if d.Outcome == OutcomeTransfer {
				under = m.rules[i]
			}
			if d.Outcome == OutcomeOffer {
				switch rapid.SampledFrom([]string{"sent", "sent", "sent", "failed", "on its way"}).Draw(r, "offer") {
				case "sent":
					k.wait(time.Duration(rapid.SampledFrom([]int{0, 2, 20}).Draw(r, "sending")) * time.Second)
					m.now = k.now
					m.endOffer()
					m.offer = &modelOffer{m.rules[i], k.now, 3}
					k.p.OfferSent(&k.c, d.Rule, k.now)
				case "failed":
					m.of(m.rules[i]).offeredIn = 0
					k.p.OfferFailed(&k.c, d.Rule)
				}
			}
		}
	})
}
