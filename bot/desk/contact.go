package desk

import (
	"context"
	"encoding/json"
)

// ContactRequest names whom an agent shall write to. Group and agent are a wish;
// without them Desk's own policy assigns.
type ContactRequest struct {
	ServiceID string // the customer service account that speaks
	UserID    string
	GroupID   *int64
	AgentID   string
}

// contactBody has both spellings of either id: the page's table and its sample
// differ, and names are case-sensitive.
type contactBody struct {
	Service  string `json:"IMAgentUserId"`
	Service2 string `json:"IMAgentUserID"`
	User     string `json:"ClientUserId"`
	User2    string `json:"ClientUserID"`
	GroupID  *int64 `json:"GroupId,omitempty"`
	AgentID  string `json:"MemberId,omitempty"`
}

// ContactUser starts a session from the agents' side and returns the agent who
// got it. It is not known to be safe to repeat: after an unknown outcome nobody
// can say whether the customer was written to. The error is an *Error; nobody is
// there when its Verdict is NextTarget.
func (c *Client) ContactUser(ctx context.Context, r ContactRequest) (agent string, err error) {
	a, err := c.call(ctx, "contact_user", contactBody{r.ServiceID, r.ServiceID, r.UserID, r.UserID, r.GroupID, r.AgentID})
	if err != nil {
		return "", err
	}
	return a.data().text("MemberId"), nil
}

// EndQueuing takes a session out of the queue. Whether Desk keeps the session
// is not documented: SessionState tells. The error is an *Error; with code
// 141027 the session was not in the queue any more.
func (c *Client) EndQueuing(ctx context.Context, session string) error {
	_, err := c.call(ctx, "end_queuing", struct{ SessionID string }{session})
	return err
}

// Card is a card that the customer sees beside or instead of a text.
type Card struct {
	Header string `json:"header"`
	Desc   string `json:"desc"`
	Pic    string `json:"pic"` // address of a picture
	URL    string `json:"url"` // where a click leads
}

// element writes a card as the client plug-in's product card: JSON in a text.
func (c *Card) element() msgElement {
	data, _ := json.Marshal(struct {
		Src     string `json:"src"`
		Content *Card  `json:"content"`
		Plugin  int    `json:"customerServicePlugin"`
	}{"22", c, 0})
	return msgElement{"TIMCustomElem", msgContent{Data: string(data)}}
}
