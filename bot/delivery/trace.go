package delivery

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

// startSpan starts the span of the attempt, beneath that of the decision. A transfer that was
// decided while tracing was off has all its attempts in the trace of the first.
func (a *attempt) startSpan(ctx context.Context) context.Context {
	ctx, a.span = a.opt.Tracer.Start(a.opt.Tracer.Under(ctx, a.transfer.Traceparent), "transfer", trace.Internal)
	a.transfer.Traceparent = cmp.Or(a.transfer.Traceparent, a.span.Traceparent())
	return ctx
}

// describe puts into the span what the line in the log says, without Desk's words.
func (a *attempt) describe(outcome string, final bool) {
	if !a.span.IsRecording() {
		return
	}
	t := a.transfer
	a.span.Set(
		"session", a.name(), "user", mask.Clip(t.User), "request_id", t.RequestID, "decision", t.Decision, "rule", t.Rule, "target", t.Target, "outcome", outcome,
		"final", strconv.FormatBool(final), "code", t.Label(), "agent", mask.Clip(a.agent),
	)
	if a.target != nil {
		a.span.Set("target", a.target.ID)
	}
	a.span.SetInt("attempt", t.Calls)
	switch outcome {
	case retrying, rules.ResultFailed.String(), rules.ResultSessionGone.String():
		a.span.Fail(outcome)
	}
}

// traceCalls gives each call to Desk a span, where tracing is on.
func (o *Options) traceCalls() {
	if o.Tracer == nil {
		o.Tracer = trace.Off{}
	}
	if o.Tracer != (trace.Off{}) {
		o.Desk = tracedDesk{o.Desk, o.Tracer}
	}
}

// tracedDesk is Desk with a span for each call.
type tracedDesk struct {
	desk   Desk
	tracer trace.Tracer
}

// TransferToHuman implements Desk.
func (d tracedDesk) TransferToHuman(ctx context.Context, r desk.TransferRequest) (result desk.TransferResult, err error) {
	ctx, span := d.tracer.Start(ctx, "transfer_to_human", trace.Client)
	defer endCall(span, &err)
	span.Set("session", mask.Clip(r.SessionID), "agents", mask.Clip(strings.Join(r.AgentIDs, ",")))
	if r.AgentGroupID != nil {
		span.SetInt("group", int(*r.AgentGroupID))
	}
	result, err = d.desk.TransferToHuman(ctx, r)
	span.Set("agent", mask.Clip(result.AgentID))
	return result, err
}

// SessionState implements Desk.
func (d tracedDesk) SessionState(ctx context.Context, r desk.StateRequest) (state desk.SessionState, err error) {
	ctx, span := d.tracer.Start(ctx, "get_session_state", trace.Client)
	defer endCall(span, &err)
	state, err = d.desk.SessionState(ctx, r)
	span.Set("session", mask.Clip(cmp.Or(state.SessionID, r.SessionID)), "state", mask.Clip(string(state.State)), "agent", mask.Clip(state.AgentID))
	return state, err
}

// SendMsg implements Desk.
func (d tracedDesk) SendMsg(ctx context.Context, r desk.SendRequest) (err error) {
	ctx, span := d.tracer.Start(ctx, "send_msg", trace.Client)
	defer endCall(span, &err)
	span.Set("session", mask.Clip(r.SessionID))
	return d.desk.SendMsg(ctx, r)
}

// EndQueuing implements Desk.
func (d tracedDesk) EndQueuing(ctx context.Context, session string) (err error) {
	ctx, span := d.tracer.Start(ctx, "end_queuing", trace.Client)
	defer endCall(span, &err)
	span.Set("session", mask.Clip(session))
	return d.desk.EndQueuing(ctx, session)
}

// endCall ends the span of a call with its code, without Desk's words.
func endCall(span trace.Span, err *error) {
	defer span.End()
	if *err == nil {
		span.Set("code", "0")
		return
	}
	word := store.Word{Network: true}
	if failed, ok := errors.AsType[*desk.Error](*err); ok {
		word = store.Word{Code: failed.Code, Network: failed.Transport()}
	}
	span.Set("code", word.Label())
	span.Fail("code " + word.Label())
}
