package desk

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"escalator/rules/lang"
)

// ClientOptions says how to reach Desk. Zero values mean the defaults.
type ClientOptions struct {
	Identity
	URL       string // "https://console.tim.qq.com"
	BackupURL string // used when URL does not answer; may be empty
	Insecure  bool   // allows plain http to hosts that are not loopback

	Validity  time.Duration     // of a UserSig; default 7 days, at least 24 h
	Timeout   time.Duration     // of one attempt; default 5 s: longer than Tencent's own 3 s
	Transport http.RoundTripper // default: an own http.Transport
	Now       func() time.Time  // default: time.Now
}

const (
	defaultValidity = 7 * 24 * time.Hour
	defaultTimeout  = 5 * time.Second
)

// Client calls Desk's REST API. It is safe for concurrent use.
//
// A call is made once, with two exceptions: when a host certainly did not get
// it, the other host gets it at once, and when the signature was refused, it is
// repeated once with a new one. All other repeats are the caller's business.
type Client struct {
	id       Identity
	hosts    []string // base addresses: the first one, and the backup if there is one
	prefer   atomic.Int32
	signer   *Signer
	http     *http.Client
	timeout  time.Duration
	scrubber *strings.Replacer // hides the key
	last     atomic.Pointer[LastCall]
}

// LastCall is when Desk was called last, and what became of it.
type LastCall struct {
	At    time.Time // zero: it was not called yet
	Error string    // "": it was answered, and well
}

// LastCall returns the last call that has ended.
func (c *Client) LastCall() LastCall {
	if last := c.last.Load(); last != nil {
		return *last
	}
	return LastCall{}
}

// NewClient checks the options and returns a Client. It opens no connection.
func NewClient(o ClientOptions) (*Client, error) {
	c := &Client{id: o.Identity, timeout: orDefault(o.Timeout, defaultTimeout)}
	for i, address := range []string{o.URL, o.BackupURL} {
		if i > 0 && address == "" {
			break
		}
		base, err := baseURL(address, o.Insecure)
		if err != nil {
			return nil, lang.Errorf("address of the REST API: %w", err)
		}
		c.hosts = append(c.hosts, base)
	}
	signer, err := NewSigner(o.Identity, orDefault(o.Validity, defaultValidity), o.Now)
	if err != nil {
		return nil, lang.Errorf("signing REST calls: %w", err)
	}
	c.signer = signer
	c.scrubber = hide(o.Key)
	transport := o.Transport
	if transport == nil {
		transport = newTransport()
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: noRedirect}
	return c, nil
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// Close closes idle connections. Calls that are under way go on.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// TransferRequest is a transfer_to_human as it stands on the wire. Nil and empty
// fields are not sent, so that older sites never see an unknown key; the tip
// always is.
type TransferRequest struct {
	SessionID                 string   `json:"SessionId"`
	AgentIDs                  []string `json:"AgentIdList,omitempty"`
	AgentGroupID              *int64   `json:"AgentGroupId,omitempty"`
	TipIfNoAgent              Flag     `json:"SendTipIfNoAgentOnline"`
	CheckWorkingHours         *Flag    `json:"CheckIfDuringWorkingHours,omitempty"`
	PromptOutsideWorkingHours *Flag    `json:"SendPromptNotDuringWorkingHours,omitempty"`
	EndSessionIfNoAgent       *Flag    `json:"EndSessionWhenNoMemberOnline,omitempty"`
	DisableQueuing            *Flag    `json:"DisableQueuing,omitempty"`
	AllowBusyAgents           *Flag    `json:"AllowAssignBusyMember,omitempty"`
	Priority                  *int     `json:"Priority,omitempty"`
	QueueTimeout              Seconds  `json:"QueueTimeout,omitempty"`
}

// Flag is a bool that Desk writes as 1 or 0.
type Flag bool

// MarshalJSON implements json.Marshaler.
func (f Flag) MarshalJSON() ([]byte, error) {
	if f {
		return []byte("1"), nil
	}
	return []byte("0"), nil
}

// Seconds is a time that Desk counts in whole seconds.
type Seconds int64

// SecondsOf rounds up: a short time must not become none at all.
func SecondsOf(d time.Duration) Seconds { return Seconds((d + time.Second - 1) / time.Second) }

// TransferResult is what Desk says about a transfer that it accepted.
type TransferResult struct {
	AgentID string // may be empty while queued
	Queued  bool   // waits in the queue; else assigned, not yet answered
}

// TransferToHuman hands a session over. The error is an *Error.
func (c *Client) TransferToHuman(ctx context.Context, r TransferRequest) (TransferResult, error) {
	a, err := c.call(ctx, "transfer_to_human", r)
	if err != nil {
		return TransferResult{}, err
	}
	return TransferResult{
		AgentID: a.text("AgentId"),
		Queued:  flag(text(a.get("IsInQueue"))),
	}, nil
}

// State is the state of a session, as get_session_state names it. Desk may
// answer one that is not in this list, and the caller has to live with that.
type State string

// The states.
const (
	StateNotInSession State = "NotInSession"
	StateChatbot      State = "Chatbot"
	StateWaiting      State = "WaitingForAgentAnswering"
	StateQueueing     State = "Queueing"
	StateAgent        State = "Agent"
)

// StateRequest names a session by its id, or (SDK integration only) by user and
// customer service account.
type StateRequest struct {
	SessionID string `json:"SessionId,omitempty"`
	UserID    string `json:"ClientUserId,omitempty"`
	ServiceID string `json:"CustomerServiceId,omitempty"`
}

// SessionState is the answer to get_session_state.
type SessionState struct {
	SessionID string
	State     State
	AgentID   string // with StateWaiting and StateAgent only
}

// SessionState asks where a session stands. A SessionID in the request wins
// over the other form. The error is an *Error, also when the answer is about
// another session than the one that was asked for.
func (c *Client) SessionState(ctx context.Context, r StateRequest) (SessionState, error) {
	if r.SessionID != "" {
		r = StateRequest{SessionID: r.SessionID}
	}
	a, err := c.call(ctx, "get_session_state", r)
	if err != nil {
		return SessionState{}, err
	}
	s := SessionState{
		SessionID: a.text("SessionId"),
		State:     State(a.text("CurrentState")),
		AgentID:   a.text("AgentId"),
	}
	if r.SessionID != "" && s.SessionID != "" && s.SessionID != r.SessionID {
		return SessionState{}, &Error{Op: "get_session_state", Status: http.StatusOK, Err: ErrOtherSession}
	}
	return s, nil
}

// SendRequest is a send_msg: to a session, or (SDK integration only) from a
// customer service account to a user.
type SendRequest struct {
	SessionID       string
	From, To        string
	Text            string
	Card            *Card  // beside the text, or alone where that is empty
	MsgRandom       uint32 // the same on every repeat of one message, see NewMsgRandom
	CloudCustomData string
}

type sendBody struct {
	SessionID       string       `json:"SessionId,omitempty"`
	From            string       `json:"FromAccount,omitempty"`
	To              string       `json:"ToAccount,omitempty"`
	MsgRandom       uint32       `json:"MsgRandom"`
	MsgBody         []msgElement `json:"MsgBody"`
	CloudCustomData string       `json:"CloudCustomData,omitempty"`
}

type msgElement struct {
	Type    string     `json:"MsgType"`
	Content msgContent `json:"MsgContent"`
}

type msgContent struct {
	Text string `json:"Text,omitempty"`
	Data string `json:"Data,omitempty"`
}

// NewMsgRandom returns a fresh number for one message. Desk tells repeats of
// one message by it, so it is drawn once and kept.
func NewMsgRandom() uint32 {
	return rand.Uint32() //nolint:gosec // tells messages apart, nothing more
}

// SendMsg speaks as the customer service account. The error is an *Error.
func (c *Client) SendMsg(ctx context.Context, r SendRequest) error {
	body := sendBody{
		SessionID:       r.SessionID,
		MsgRandom:       r.MsgRandom,
		CloudCustomData: r.CloudCustomData,
	}
	if r.Text != "" || r.Card == nil {
		body.MsgBody = []msgElement{{"TIMTextElem", msgContent{Text: r.Text}}}
	}
	if r.Card != nil {
		body.MsgBody = append(body.MsgBody, r.Card.element())
	}
	if r.SessionID == "" {
		body.From, body.To = r.From, r.To
	}
	_, err := c.call(ctx, "send_msg", body)
	return err
}
