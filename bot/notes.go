package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"escalator/bot/decisions"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/rules"
	"escalator/rules/lang"
)

// takeNote has the rules note what they make of a turn, where history is kept. giveBack
// must follow.
func (b *Bot) takeNote(r *record) {
	if b.History != nil && r.message.Turn != nil {
		r.note = b.History.Note()
		r.message.Turn.Tried = &r.note.Tried
	}
}

// giveBack gives the note back where nothing came of it.
func (b *Bot) giveBack(r *record) {
	if r.message.Turn != nil {
		r.message.Turn.Tried = nil // another turn's by now
	}
	if r.note != nil {
		b.History.Drop(r.note)
	}
}

// ownBotFailed is what the history says of a turn that stands for a bot which did not answer.
const ownBotFailed = "your own bot did not answer"

// keepTurn puts a turn, and what the rules made of it, into the history. rec is what others
// see of the decision, nil where nobody does.
func (b *Bot) keepTurn(r *record, rec *decisions.Record) {
	n, m, d := r.note, r.message, &r.decision
	if n == nil {
		return
	}
	n.Entry = history.Entry{
		Kind: history.Turn, At: r.wall, Session: nameOf(m), User: mask.Clip(cmp.Or(m.User, r.user)), Role: m.Turn.Kind.String(), Text: m.Turn.Text, Sends: m.Turn.Sends.Names(),
		Event: mask.Clip(m.Name), RequestID: mask.Clip(m.RequestID),
		Outcome: d.Outcome.String(), Rule: d.Rule, Mode: d.Mode, Reason: string(d.Reason), Target: d.Target, Near: d.Near, Shadow: d.Shadow, Tags: d.Tags,
		RulesVersion: r.policy.Version(), CountersBefore: &n.Tried.Before, Counters: &n.Tried.Counters, Rating: int64(m.Stars), Phase: n.Tried.Phase.String(),
	}
	if d.Outcome == rules.OutcomeAsked {
		n.Kind = history.Asked
	}
	if n.Reason == "" {
		n.Reason = string(d.NearReason)
	}
	if r.from != n.Tried.Phase {
		n.From = r.from.String()
	}
	if m.Turn.Mark != "" {
		n.Mark = strings.Clone(b.LogText.Mark(m.Turn.Mark))
	}
	if m.Turn.Failed {
		n.Error = ownBotFailed
	}
	if rec != nil {
		n.ID, n.Replica, n.Matched, n.Why, n.Would, n.TookUS = rec.ID, b.decisions.Replica, rec.Matched, rec.Why, rec.Would, rec.TookUS
	} else {
		n.Matched, n.Why = b.words(d.Matched), d.Why.Text(b.LogText.Text)
	}
	r.note = nil
	b.History.Put(n)
}

// keepChange puts an event that is no turn into the history: what a person said, or who
// the customer is with now.
func (b *Bot) keepChange(r *record) {
	m := r.message
	said := m.Change != nil && *m.Change == rules.EventAgentMessage
	if m.Change == nil || !said && r.from == r.phase && m.Stars == 0 {
		return
	}
	e := history.Entry{
		Kind: history.Phase, At: r.wall, Session: nameOf(m), User: mask.Clip(cmp.Or(m.User, r.user)), Event: mask.Clip(m.Name), RequestID: mask.Clip(m.RequestID), Phase: r.phase.String(), Rating: int64(m.Stars),
	}
	if said {
		e.Kind, e.Role, e.Text = history.Turn, "agent", r.said
	}
	if r.from != r.phase {
		e.From = r.from.String()
	}
	b.happened(e)
}

// keepRating puts a rating into the history that came with what is nothing else.
func (b *Bot) keepRating(m *inbound.Message, at time.Time) {
	if m.Stars > 0 {
		b.happened(history.Entry{
			Kind: history.Turn, Role: rules.RatingTurn.String(), At: at, Session: nameOf(m), User: mask.Clip(m.User), Event: mask.Clip(m.Name),
			RequestID: mask.Clip(m.RequestID), Rating: int64(m.Stars),
		})
	}
}

// happened puts something into the history, and shows an attempt with its decision.
func (b *Bot) happened(e history.Entry) {
	if e.At.IsZero() {
		e.At = b.Clock.Wall()
	}
	if e.Kind == history.Attempt {
		b.decisions.Tried(&e)
	}
	if b.History != nil {
		b.History.Add(e)
	}
}

// ErrNoHistory says that nothing is kept of any conversation (ESCALATOR_HISTORY_FOR is 0s).
var ErrNoHistory = lang.Errorf("no history is kept: ESCALATOR_HISTORY_FOR is 0s")

// Conversation returns the history of a conversation by the name that the log has for it.
// What was said before a chat of plain IM became a session of Desk belongs to it. The
// error may be ErrNoHistory or one of package history.
func (b *Bot) Conversation(ctx context.Context, session string) (*history.Conversation, error) {
	if b.History == nil {
		return nil, ErrNoHistory
	}
	names := []string{mask.Clip(session)}
	if before := mask.Clip(b.conversationOf(session)); before != names[0] {
		names = append(names, before)
	}
	told, err := b.History.Conversation(ctx, names...)
	if told != nil {
		for i := range told.Entries {
			e := &told.Entries[i]
			if code, err := strconv.Atoi(e.Code); err == nil && code != 0 {
				row, _ := desk.LookupCode(code)
				e.CodeWords = row.Meaning
			}
		}
	}
	if errors.Is(err, history.ErrUnknown) {
		err = lang.Errorf("%w of conversation %s: %s", err, names[0], b.History.Kept(ctx))
		if hint := b.nearest(ctx, names[0]); hint != "" {
			err = lang.Errorf("%w; %s", err, hint)
		}
	}
	return told, err
}

// maxNearest is how many names are shown to who asks for one that is not known.
const maxNearest = 3

// nearest names the sessions of the newest decisions that somebody may have meant: those that
// hold what was asked for, else the one that is spelled most alike.
func (b *Bot) nearest(ctx context.Context, session string) lang.Text {
	page, err := b.decisions.Page(ctx, &decisions.Filter{}, decisions.Keep, "")
	if err != nil {
		return ""
	}
	var known, alike []string
	for _, r := range page.Decisions {
		if r.Session == session {
			return "its decisions are still listed"
		}
		if slices.Contains(known, r.Session) {
			continue
		}
		if known = append(known, r.Session); len(known) > maxAlike {
			break
		}
		if len(session) >= 3 && strings.Contains(strings.ToLower(r.Session), strings.ToLower(session)) && len(alike) < maxNearest {
			alike = append(alike, r.Session)
		}
	}
	if len(alike) > 0 {
		return lang.Say("there is %s", strings.Join(alike, ", "))
	}
	return rules.DidYouMean(session, known)
}

// maxAlike bounds the names that are compared.
const maxAlike = 1000
