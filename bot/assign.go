package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"escalator/bot/inbound"
	"escalator/bot/store"
	"escalator/bot/trace"
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
func (x *exchange) assign(ctx context.Context) ([]byte, error) {
	target, err := x.assignTarget(ctx)
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
// rules say of the fields at hand, else the default one; nil leaves it to Desk. Desk
// takes one answer: the customer's last agent, who may be away, would leave the
// customer with nobody.
func (x *exchange) assignTarget(ctx context.Context) (*rules.Target, error) {
	m, err := x.inbound.Read(ctx, x.policy, x.Event, x.at, nil)
	if err != nil {
		return nil, err
	}
	if t, err := x.Outbox.Get(ctx, m.Conversation); err == nil && t.State != store.GivenUp && t.Current() != nil {
		return rules.Written(t.Chain[t.Step:]), nil
	}
	d, err := x.consider(ctx, m)
	if err != nil {
		return nil, err
	}
	if len(d.Chain) > 0 {
		return rules.Written(d.Chain), nil
	}
	return x.policy.Target(defaultTarget), nil
}

// consider asks the rules about a message without letting it count: nothing is
// kept and no transfer is made.
func (x *exchange) consider(ctx context.Context, m *inbound.Message) (*rules.Decision, error) {
	r := &record{message: m, policy: x.policy, at: x.at, wall: x.wall}
	ctx, r.span = x.Tracer.Start(ctx, "decision", trace.Internal)
	defer r.span.End()
	x.equip(m.Turn, x.at, x.wall)
	of := x.customer(ctx, x.policy, m.Conversation, m.Customer())
	m.Identify().User = of.begin()
	x.takeNote(r)
	defer x.giveBack(r)
	err := x.Conversations.View(ctx, m.Conversation, func(c *rules.Conversation) {
		r.from = c.Phase()
		r.decision = r.policy.Decide(c, *m.Turn)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	answer := r.decision
	r.decision.Outcome = rules.OutcomeAsked // nothing was transferred or offered: Desk has asked
	x.report(r)
	return &answer, nil
}

// taskFlow answers a task flow that asks whether this customer should go to a
// person (Chatbot.InterfaceInvocation). It is answered only: the flow itself
// decides what to do, and its variables are texts.
func (x *exchange) taskFlow(ctx context.Context) ([]byte, error) {
	m, err := x.inbound.Read(ctx, x.policy, x.Event, x.at, nil)
	if err != nil {
		return nil, err
	}
	d, err := x.consider(ctx, m)
	if err != nil {
		return nil, err
	}
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
