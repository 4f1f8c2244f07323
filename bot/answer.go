package bot

import (
	"strconv"

	"escalator/rules/lang"
)

// Answer is what goes back to Tencent.
type Answer struct {
	// JSON is the body. It is shared between callers and never changed.
	JSON []byte
	// Repeat says that the callback was seen before and this is its first answer.
	Repeat bool
}

// AIProvider says who answers a message of the customer that is not escalated
// (cloud.tencent.com/document/product/269/110624).
type AIProvider uint8

// The values of ESCALATOR_AI_PROVIDER.
const (
	AIProviderDesk AIProvider = iota // Desk's built-in robot: AIProvider 1
	AIProviderSelf                   // the developer's own backend: AIProvider 0
	AIProviderOmit                   // the field is never sent
)

var aiProviderNames = [...]string{AIProviderDesk: "desk", AIProviderSelf: "self", AIProviderOmit: "omit"}

// String returns the name used in settings.
func (a AIProvider) String() string { return aiProviderNames[a] }

// ParseAIProvider reads a value of ESCALATOR_AI_PROVIDER.
func ParseAIProvider(s string) (AIProvider, error) {
	for i, name := range aiProviderNames {
		if name == s {
			return AIProvider(i), nil
		}
	}
	return 0, lang.Errorf("%q is none of %s", s, "desk, self, omit")
}

// The answers are few, so each is made once.
var (
	answerOK   = okJSON("")
	answerSelf = okJSON(aiProviderField(0))
	answerDesk = okJSON(aiProviderField(1))
)

func okJSON(more string) []byte {
	return []byte(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""` + more + `}`)
}

func aiProviderField(v int) string { return `,"AIProvider":` + strconv.Itoa(v) }

// AnswerOK is the plain success of every callback.
func AnswerOK() Answer { return Answer{JSON: answerOK} }

// userMessage returns the answer to a message of the customer in the bot
// phase; ours says that we act on it and nobody else should.
func (a AIProvider) userMessage(ours bool) []byte {
	switch {
	case a == AIProviderOmit:
		return answerOK
	case ours || a == AIProviderSelf:
		return answerSelf
	default:
		return answerDesk
	}
}
