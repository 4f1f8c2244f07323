package desktest

import (
	"encoding/json"

	"escalator/bot/desk"
)

// sendMsg takes a message once per MsgRandom and shows it, as Desk does, as a
// message of the bot while the session is with the bot.
func (d *Desk) sendMsg(f fields) reply {
	s, bad := d.addressee(f)
	if bad != nil {
		return *bad
	}
	said := Said{Session: s.id, At: d.o.Now(), MsgBody: f.named["MsgBody"]}
	if !f.has("MsgRandom") || !f.get("MsgRandom", &said.MsgRandom) {
		return refuse(90005, "MsgRandom must be an integer")
	}
	if code, why := checkElements(said.MsgBody); code != 0 {
		return refuse(code, why)
	}
	if !f.get("CloudCustomData", &said.CloudCustomData) {
		return refuse(90010, "CloudCustomData must be a string")
	}
	if s.randoms[said.MsgRandom] {
		d.ledger.Repeats++
		return success()
	}
	if s.randoms == nil {
		s.randoms = map[uint32]bool{}
	}
	s.randoms[said.MsgRandom] = true
	d.ledger.Said = append(d.ledger.Said, said)
	if s.state == desk.StateChatbot {
		d.send(s, d.message(s, desk.EventBotMessage, said.MsgBody, said.CloudCustomData))
	}
	return success()
}

// addressee finds the session by its id, or by customer service account and user.
func (d *Desk) addressee(f fields) (*session, *reply) {
	if f.has("SessionId") {
		return d.known(f, "SessionId")
	}
	var from, to string
	bad := refuse(141004, "illegal parameters: SessionId, or FromAccount and ToAccount")
	if !f.get("FromAccount", &from) || !f.get("ToAccount", &to) || from == "" || to == "" {
		return nil, &bad
	}
	s := d.find(to, from)
	if s == nil || s.state == desk.StateNotInSession {
		bad = refuse(141005, "session does not exist")
		return nil, &bad
	}
	return s, nil
}

func checkElements(body json.RawMessage) (code int, why string) {
	var elements []struct {
		MsgType    string
		MsgContent map[string]any
	}
	var list []json.RawMessage
	switch {
	case body == nil:
		return 90002, "MsgBody is missing"
	case json.Unmarshal(body, &list) != nil:
		return 90007, "MsgBody is not an array"
	case len(list) == 0 || json.Unmarshal(body, &elements) != nil:
		return 90002, "the shape of MsgBody is wrong"
	}
	custom := 0
	for _, e := range elements {
		text, isText := e.MsgContent["Text"].(string)
		_, isData := e.MsgContent["Data"].(string)
		switch {
		case e.MsgType == "" || e.MsgContent == nil,
			e.MsgType == "TIMTextElem" && (!isText || text == ""),
			e.MsgType == "TIMCustomElem" && !isData:
			return 90010, "an element of MsgBody is wrong"
		case e.MsgType == "TIMCustomElem":
			custom++
		}
	}
	if custom > 1 {
		return 90010, "more than one TIMCustomElem"
	}
	return 0, ""
}
