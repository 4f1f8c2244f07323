package rules

import (
	"fmt"
	"slices"

	"escalator/rules/lang"
)

// The rule language (RULES.md) is declared in shapes: every key, its form, its documentation and its default. Each
// stands beside the code that reads it; here are the values that many places share.

// languages are the languages that the built-in packs know.
var languages = []string{"zh", "en", "ja", "ko", "id", "ms", "th", "vi", "es", "pt", "fr", "de", "ru", "ar", "tr", "it", "nl", "hi"}

var (
	// modes, from the least careful to the most.
	modes       = namesOf(ModeEnforce, ModeShadow, ModeOff)
	deskResults = append(namesOf(ResultNoAgent, ResultAssigned, ResultQueued, ResultFailed), deskUnknown)
	// mappedEvents are all but the start of a session, which no further event of Desk can mean.
	mappedEvents = namesOf(EventUserMessage, EventBotMessage, EventAgentMessage, EventTransferring, EventWithHuman, EventNoAgent, EventClosed)
	suppressions = namesOf(ReasonCooldown, ReasonPerSession, ReasonAlreadyTransferring, ReasonAlreadyQueued, ReasonAlreadyHuman, ReasonOfferPending, ReasonOfferDeclined)
	reasons      = namesOf(ReasonNegated, ReasonMasked, ReasonCooldown, ReasonPerSession, ReasonAlreadyTransferring, ReasonAlreadyQueued, ReasonAlreadyHuman, ReasonMuted, ReasonOfferPending, ReasonOfferAccepted, ReasonOfferDeclined, ReasonClosed)
)

// Reasons are the names of all reasons.
func Reasons() []string { return slices.Clone(reasons) }

// namesOf gives the words of the file for values of the program.
func namesOf[T any](values ...T) []string {
	var names []string
	for _, v := range values {
		names = append(names, fmt.Sprint(v))
	}
	return names
}

// maxCount bounds every count of the language: a conversation keeps rings of this many stamps.
const maxCount = 16

// Scalars.
var (
	aName = &shape{name: "a name", pattern: patternName, doc: "A name: letters, digits, - and _."}
	aText = &shape{name: "a text", form: formText, empty: true}
	aWord = &shape{name: "a text", form: formText}

	aPhrase = &shape{
		name: "a phrase", ref: "phrase",
		doc: "Words to look for. (a|b) are alternatives, (a)? may be left out, .. is a gap, refund* any ending, =人工 the " +
			"whole message, /…/ a regular expression, $name all phrases of a list.",
		examples: []string{"转人工", "(talk|speak) to (a)? human", "转 .. 人工", "refund*", "=人工", "$ask_human"},
	}
	aDuration = &shape{
		name: "a length of time", ref: "duration", form: formDuration, pattern: patternDuration,
		doc: "A length of time: a number with ms, s, m, h or d, such as 30s, 10m, 1h30m.", examples: []string{"10m", "1h30m"},
	}
	aSpan = &shape{
		name: "a length of time", ref: "span", form: formDuration, pattern: patternPositive, positive: true,
		doc: "A length of time over zero: a number with ms, s, m, h or d, such as 30s, 10m, 1h30m.", examples: []string{"15m", "30s"},
	}
	aRate = &shape{
		name: "a rate", ref: "rate", form: formRate, pattern: patternRate,
		doc: "So many in so much time: 3/24h, 50/s.", examples: []string{"3/24h", "50/s"},
	}
	aBool     = &shape{name: "true or false", form: formBool}
	aPriority = &shape{name: "a priority from 0 to 9", form: formInteger, min: 0, max: 9}
	aCount    = &shape{name: "a count from 1 to 16", form: formInteger, min: 1, max: maxCount, examples: []string{"3"}}
	aRepeat   = &shape{name: "a count from 2 to 16", form: formInteger, min: 2, max: maxCount, examples: []string{"3"}}
	aWeight   = &shape{name: "a weight from -100 to 100", form: formInteger, min: -100, max: 100, examples: []string{"2"}}
	aMode     = enumShape("a mode", modes, "on", "enforce", "true", "enforce", "active", "enforce", "dry-run", "shadow", "dry_run", "shadow", "test", "shadow", "disabled", "off", "false", "off", "none", "off")
	aRuleID   = &shape{name: "a rule's id", pattern: patternName, examples: []string{"ask-human"}}
	aGoal     = &shape{name: "a target or route", pattern: patternName, examples: []string{"default"}}
	aLang     = enumShape("a language", languages, "cn", "zh", "chinese", "zh", "中文", "zh", "zh-cn", "zh", "zh-tw", "zh", "english", "en", "英文", "en", "jp", "ja", "japanese", "ja", "kr", "ko", "korean", "ko", "thai", "th", "vn", "vi", "spanish", "es", "portuguese", "pt", "french", "fr", "german", "de", "russian", "ru", "arabic", "ar", "turkish", "tr", "indonesian", "id", "malay", "ms", "italian", "it", "dutch", "nl", "hindi", "hi")
	aSend     = enumShape("a kind of message", sendsNames, "picture", "image", "photo", "image", "audio", "sound", "voice", "sound", "emoji", "face", "document", "file")
	aScalar   = &shape{name: "a value", form: formText, empty: true}
	aListKey  = &shape{name: "a list's name", pattern: patternListName}
)

// Lists that stand in several places.
const (
	someNames  lang.Text = "a list of names"
	someAgents lang.Text = "a list of agent addresses"
	someSends  lang.Text = "a list of kinds of message"
)

// anAgent is the address of an agent: one word, so that two that stand behind one comma are noticed.
var anAgent = &shape{name: "an agent address", pattern: `^[^\s,;，、；“”]+$`, examples: []string{"li@example.com"}}

// aGroup is a group by its number at Desk.
var aGroup = &shape{name: "a group's number", form: formInteger, min: 0, max: 1 << 53, examples: []string{"2473"}}

// aCalendarName is a calendar by its name.
var aCalendarName = &shape{
	name: "a calendar's name", pattern: patternName,
	way: "write the hours into a calendar and name that: calendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-21:00]}}",
}

// enumShape declares a choice of words, with pairs of what people write instead and what they mean.
func enumShape(name lang.Text, words []string, synonyms ...string) *shape {
	s := &shape{name: name, form: formText, enum: words, synonyms: map[string]string{}}
	for i := 0; i+1 < len(synonyms); i += 2 {
		s.synonyms[synonyms[i]] = synonyms[i+1]
	}
	return s
}

func listOf(name lang.Text, elem *shape) *shape {
	return &shape{name: name, form: formList, elem: elem}
}

// within is the window of a condition.
var within = field{key: "within", of: aSpan, required: true, doc: "Only what happened in this time counts; at most session_ttl.", aka: []string{"window", "in", "for", "period", "during"}}

// aSpeech is a text that is said to the customer.
var aSpeech = &shape{
	name: "a text to the customer", ref: "speech", form: formChoice,
	forms: []*shape{aText, {name: "a text for each language", form: formDict, key: aLang, elem: aText}},
	doc:   "A text to the customer, or one for each language: {zh: …, en: …}; the first is the default.",
}

// aSentence is a speech that says something.
var aSentence = &shape{
	name: aSpeech.name, ref: "sentence", form: formChoice, doc: aSpeech.doc,
	forms: []*shape{aWord, {name: "a text for each language", form: formDict, key: aLang, elem: aWord}},
}

func exampleShape(s *shape, example string) *shape {
	s.examples = []string{example}
	return s
}

// maybeNone lets a list be empty.
func maybeNone(s *shape) *shape {
	s.empty = true
	return s
}

func dictOf(name lang.Text, key, elem *shape) *shape {
	return &shape{name: name, form: formDict, key: key, elem: elem, empty: true}
}
