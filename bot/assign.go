package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/rules"
)

// defaultTarget is the target that takes what no rule names.
const defaultTarget = "default"

// assignment is the answer to ChatBot.OnAssignHuman
// (www.tencentcloud.com/document/product/1229/68988).
type assignment struct {
	ActionStatus string
	ErrorCode    int
	ErrorInfo    string
	AgentGroupID *int64   `json:"AgentGroupId,omitempty"`
	AgentIDList  []string `json:"AgentIdList,omitempty"`
}

// assign says which group or agents get a session that asks for a person.
// Desk waits for this answer and acts on it, so it comes from memory only.
func (b *Bot) assign(ctx context.Context, e *desk.Event) ([]byte, error) {
	e.Conversation = b.links.of(e)
	target, err := b.assignTarget(ctx, e)
	if err != nil {
		return nil, err
	}
	answer := assignment{ActionStatus: "OK"}
	if target != nil {
		answer.AgentGroupID, answer.AgentIDList = target.Group, target.Agents
	}
	return json.Marshal(answer)
}

// assignTarget is the target of the transfer that is on its way, else what the
// rules say of the fields at hand, else the default one; nil leaves it to Desk.
func (b *Bot) assignTarget(ctx context.Context, e *desk.Event) (*rules.Target, error) {
	if t, err := b.Outbox.Get(ctx, conversationID(e)); err == nil && t.State != store.GivenUp {
		if target := t.Current(); target != nil {
			return target, nil
		}
	}
	r, err := b.consider(ctx, e, "")
	if err != nil {
		return nil, err
	}
	b.report(r)
	if len(r.decision.Chain) > 0 {
		return r.decision.Chain[0], nil
	}
	return r.policy.Target(defaultTarget), nil
}

// consider asks the rules about a message without letting it count: nothing is
// kept and no transfer is made.
func (b *Bot) consider(ctx context.Context, e *desk.Event, text string) (*record, error) {
	r := &record{event: e, policy: b.Policy(), started: b.Now()}
	err := b.Conversations.View(ctx, conversationID(e), func(c *rules.Conversation) {
		ask := question(e, text)
		ask.At, ask.Muted = r.started, b.Muted()
		r.decision = r.policy.Decide(c, *ask)
		r.language = c.Language()
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return r, nil
}

// question is a callback that asks what the rules say to a text.
func question(e *desk.Event, text string) *rules.Turn {
	return &rules.Turn{Kind: rules.UserTurn, Text: text, Fields: e}
}

// taskFlowText is the customer's words in a task flow's variables.
func taskFlowText(p *rules.Policy, e *desk.Event) string {
	name := p.TaskFlowText()
	if name == "" {
		return ""
	}
	text, _ := e.Task(name)
	return text
}

// taskFlow answers a task flow that asks whether this customer should go to a
// person (Chatbot.InterfaceInvocation). It is answered only: the flow itself
// decides what to do, and its variables are texts.
func (b *Bot) taskFlow(ctx context.Context, e *desk.Event) ([]byte, error) {
	e.Conversation = b.links.of(e)
	r, err := b.consider(ctx, e, taskFlowText(b.Policy(), e))
	if err != nil {
		return nil, err
	}
	b.report(r)
	d := &r.decision
	escalated := d.Outcome == rules.OutcomeTransfer || d.Outcome == rules.OutcomeOffer
	rule, target := d.Rule, d.Target
	if !escalated {
		rule, target = "", ""
	}
	return json.Marshal(struct {
		ActionStatus string
		ErrorCode    int
		ErrorInfo    string
		Body         map[string]string
	}{ActionStatus: "OK", Body: map[string]string{"escalated": strconv.FormatBool(escalated), "rule": rule, "target": target}})
}
