package inbound

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"escalator/bot/desk"
)

// Key is the dedup key of a callback, "" where it is computed anew each time.
//
//	with a MsgKey     conversation, speaker, MsgKey: neither command nor RequestID,
//	                  so that IM's and Desk's copies of a message are one
//	with a RequestID  command, RequestID, conversation, event
//	with neither      command and the whole body
//
// What never feeds the rules and needs no memory has none: before-callbacks, which
// have the MsgKey of the message that follows, and questions without a RequestID.
//
// A key is a SHA-256 over parts that each carry a tag and their length, so that
// no two different callbacks can be spelled alike.
func (r *Reader) Key(e *desk.Event) string {
	question := false
	switch e.Command {
	case desk.CommandC2CBefore, desk.CommandGroupBefore:
		return ""
	case desk.CommandAssignHuman, desk.CommandAssignAgent, desk.CommandTaskFlow:
		question = true
	}
	var room [512]byte
	parts := room[:0]
	switch conversed := r.conversed(e); {
	case e.MsgKey != "" && conversed && !question:
		parts = part(r.speakerPart(r.conversationPart(parts, e), e), 'k', e.MsgKey)
	case e.RequestID != "":
		parts = part(part(parts, 'c', e.Command), 'r', e.RequestID)
		parts = part(r.conversationPart(parts, e), 'e', e.Name)
	case question:
		return ""
	default:
		sum := sha256.Sum256(e.Body)
		parts = part(part(parts, 'c', e.Command), 'b', string(sum[:]))
	}
	return encode(parts)
}

// Step is the key of one step of the exchange that a key names.
func Step(key, name string) string {
	var room [256]byte
	return encode(part(part(room[:0], 'x', key), 'n', name))
}

// encode shortens the parts to 43 characters.
func encode(parts []byte) string {
	sum := sha256.Sum256(parts)
	var key [43]byte
	base64.RawURLEncoding.Encode(key[:], sum[:])
	return string(key[:])
}

// conversed reports whether a callback names its conversation.
func (r *Reader) conversed(e *desk.Event) bool {
	return e.SessionID != "" || e.GroupID != "" || e.UserID != "" && e.ServiceID != "" || e.From != "" && e.To != ""
}

// conversationPart names the conversation of a callback as each of its copies
// does: the pair of customer and account, else the session, else the group.
func (r *Reader) conversationPart(parts []byte, e *desk.Event) []byte {
	speaker := r.accounts.speaker(e)
	switch {
	case e.UserID != "" && e.ServiceID != "":
		return part(part(parts, 'u', e.UserID), 'a', e.ServiceID)
	case e.From != "" && e.To != "" && e.GroupID == "" && speaker != Nobody:
		user, service := parties(e, speaker)
		return part(part(parts, 'u', user), 'a', service)
	case e.From != "" && e.To != "" && e.GroupID == "":
		return part(part(parts, 'f', e.From), 't', e.To)
	case e.SessionID != "":
		return part(parts, 's', e.SessionID)
	default:
		return part(parts, 'g', e.GroupID)
	}
}

// speakerPart names the speaker, and an event that has none by its name.
func (r *Reader) speakerPart(parts []byte, e *desk.Event) []byte {
	if speaker := r.accounts.speaker(e); speaker != Nobody {
		return part(parts, 'p', string(rune('0'+speaker)))
	}
	return part(parts, 'e', e.Name)
}

func part(b []byte, tag byte, s string) []byte {
	b = append(b, tag)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// Grown reports whether a message whose key is known replaces the one that was
// counted: a streamed message of the bot comes again, longer each time. textLen
// is the length of the text that was counted, in bytes.
func (r *Reader) Grown(e *desk.Event, textLen int) bool {
	return len(e.Text) > textLen && r.accounts.speaker(e) == Robot
}
