package rules

import "strings"

// This file is the declaration of the rule language (RULES.md): every key, its form, its documentation and its
// default. See shape.

// languages are the languages that the built-in packs know.
var languages = []string{"zh", "en", "ja", "ko", "id", "ms", "th", "vi", "es", "pt", "fr", "de", "ru", "ar", "tr"}

var (
	modes        = []string{"enforce", "shadow", "off"}
	policies     = []string{"block", "warn"}
	negations    = []string{"respect", "ignore", "require"}
	deskResults  = []string{"no_agent", "assigned", "queued", "failed"}
	mappedEvents = []string{
		"user_message", "bot_message", "agent_message", "transferring", "with_human", "no_agent", "closed",
	}
	suppressions = []string{
		"cooldown", "per_session", "already_transferring", "already_queued", "already_human", "offer_pending",
		"offer_declined",
	}
	reasons = []string{
		"negated", "masked", "cooldown", "per_session", "already_transferring", "already_queued", "already_human",
		"muted", "offer_pending", "offer_accepted", "offer_declined", "closed",
	}
)

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
	aBool    = &shape{name: "true or false", form: formBool}
	aCount   = &shape{name: "a count from 1 to 16", form: formInteger, min: 1, max: maxCount}
	aRepeat  = &shape{name: "a count from 2 to 16", form: formInteger, min: 2, max: maxCount}
	aWeight  = &shape{name: "a weight from -100 to 100", form: formInteger, min: -100, max: 100, examples: []string{"2"}}
	aMode    = enumShape("a mode", modes, "on", "enforce", "true", "enforce", "active", "enforce", "dry-run", "shadow", "dry_run", "shadow", "test", "shadow", "disabled", "off", "false", "off", "none", "off")
	aRuleID  = &shape{name: "a rule's id", pattern: patternName, examples: []string{"ask-human"}}
	aGoal    = &shape{name: "a target or route", pattern: patternName, examples: []string{"default"}}
	aLang    = enumShape("a language", languages, "cn", "zh", "chinese", "zh", "中文", "zh", "zh-cn", "zh", "zh-tw", "zh", "english", "en", "英文", "en", "jp", "ja", "japanese", "ja", "kr", "ko", "korean", "ko", "thai", "th", "vn", "vi", "spanish", "es", "portuguese", "pt", "french", "fr", "german", "de", "russian", "ru", "arabic", "ar", "turkish", "tr", "indonesian", "id", "malay", "ms")
	aSend    = enumShape("a kind of message", sendsNames, "picture", "image", "photo", "image", "audio", "sound", "voice", "sound", "emoji", "face", "document", "file")
	aScalar  = &shape{name: "a value", form: formText, empty: true}
	aListKey = &shape{name: "a list's name", pattern: patternListName}
)

// enumShape declares a choice of words, with pairs of what people write instead and what they mean.
func enumShape(name string, words []string, synonyms ...string) *shape {
	s := &shape{name: name, form: formText, enum: words, synonyms: map[string]string{}}
	for i := 0; i+1 < len(synonyms); i += 2 {
		s.synonyms[synonyms[i]] = synonyms[i+1]
	}
	return s
}

func listOf(elem *shape) *shape {
	return &shape{name: "a list of " + plural(elem.name), form: formList, elem: elem}
}

// plural turns "a phrase" into "phrases"; the names in this file are chosen so that it works.
func plural(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "a "), "an ")
	if strings.HasSuffix(name, "s") || strings.HasSuffix(name, "es") {
		return name
	}
	return name + "s"
}

// Phrases and lists of phrases.
var (
	phraseList = &shape{
		name: "a list of phrases", ref: "phrases", form: formList, elem: aPhrase,
		doc: "Phrases in brackets, or one a line after a dash.", examples: []string{"[转人工, live agent, $ask_human]"},
	}
	weightedPhrases = &shape{
		name: "phrases with weights", ref: "weights", form: formDict, key: aPhrase, elem: aWeight,
		doc: "Phrases with weights, for mood; a negative weight calms.", examples: []string{"{骗子: 3, useless: 2, 谢谢: -2}"},
	}
	listOptions = &shape{name: "a list with options", ref: "listOptions", form: formRecord, fields: []field{
		{key: "phrases", of: &shape{name: "phrases", form: formChoice, forms: []*shape{phraseList, weightedPhrases}}, required: true, doc: "The phrases, with or without weights."},
		{key: "typos", of: enumShape("on or off", []string{"on", "off"}), standard: "on", doc: "Whether typing errors are forgiven in these phrases."},
	}}
	packChange = &shape{
		name: "a change of a built-in pack", ref: "packChange", form: formRecord, atLeastOne: []string{"add", "without"},
		fields: []field{
			{key: "add", of: &shape{name: "phrases", form: formChoice, forms: []*shape{phraseList, weightedPhrases}}, doc: "Phrases that the pack lacks."},
			{key: "without", of: phraseList, doc: "Phrases whose hits must not count: a hit of the pack that overlaps one is masked.", aka: []string{"remove", "except"}},
		},
	}
	phraseBookShape = &shape{
		name: "phrases", ref: "list", form: formChoice, forms: []*shape{phraseList, weightedPhrases, listOptions, packChange},
		telltales: map[string]*shape{"phrases": listOptions, "add": packChange, "without": packChange},
		doc:       "A list of phrases: a sequence, phrases with weights, {phrases, typos}, or {add, without} for a list named like a built-in pack.",
	}
	aSpeech = &shape{
		name: "a text to the customer", ref: "speech", form: formChoice,
		forms: []*shape{aText, {name: "a text for each language", form: formDict, key: aLang, elem: aText}},
		doc:   "A text to the customer, or one for each language: {zh: …, en: …}; the first is the default.",
	}
)

// saysFields are the options of says, said and bot_says.
func saysFields() []field {
	return []field{
		{key: "any", of: phraseList, doc: "One of these is there.", aka: []string{"phrases", "words", "contains"}},
		{key: "all", of: phraseList, doc: "Each of these is there."},
		{key: "not_part_of", of: phraseList, doc: "A hit that overlaps one of these does not count.", aka: []string{"except", "without", "unless", "not"}},
		{key: "negation", of: enumShape("a way to treat negation", negations), standard: "respect", doc: "respect: a negated hit does not count; ignore: it counts like any other; require: only negated hits count."},
	}
}

var (
	within = field{key: "within", of: aSpan, required: true, doc: "Only what happened in this time counts; at most session_ttl.", aka: []string{"window", "in", "for", "period", "during"}}

	saysOptions = &shape{name: "phrases with options", ref: "says", form: formRecord, fields: saysFields(), atLeastOne: []string{"any", "all"}, examples: []string{"{any: [转人工], not_part_of: [人工智能]}"}}
	saidOptions = &shape{
		name: "phrases with a time", ref: "said", form: formRecord, atLeastOne: []string{"any", "all"},
		fields: append(saysFields(), within), examples: []string{"{any: [$refund], within: 15m}"},
	}
	saysForms = &shape{name: "phrases", form: formChoice, forms: []*shape{phraseList, saysOptions}, telltales: map[string]*shape{}}

	botMissed = &shape{name: "how often the bot may fail", ref: "botMissed", form: formRecord, fields: []field{
		{key: "times", of: aCount, required: true, doc: "So many misses.", aka: []string{"count", "at_least", "messages"}},
		within,
		{key: "consecutive", of: aBool, standard: "true", doc: "In a row: a good answer starts the count anew."},
	}, examples: []string{"{times: 3, within: 15m}"}}
	repeats = &shape{name: "how often a question may come back", ref: "repeats", form: formRecord, fields: []field{
		{key: "times", of: aRepeat, required: true, doc: "So many times, the current message included.", aka: []string{"count", "at_least", "messages"}},
		within,
		{key: "similarity", of: &shape{name: "a number from 0.1 to 1", form: formNumber, min: 0.1, max: 1, examples: []string{"0.85"}}, standard: "0.85", doc: "How alike two messages must be, 1 being equal."},
		{key: "min_chars", of: &shape{name: "a number of characters from 1 to 100", form: formInteger, min: 1, max: 100}, standard: "4", doc: "Shorter messages do not count."},
	}, examples: []string{"{times: 3, within: 10m, similarity: 0.85}"}}
	mood = &shape{name: "a mood", ref: "mood", form: formRecord, fields: []field{
		{key: "list", of: &shape{name: "a list's name", pattern: `^\$?[\p{L}_][\p{L}\p{N}_-]*$`}, required: true, doc: "A list with weights."},
		{key: "at_least", of: &shape{name: "a number from 1 to 1000", form: formInteger, min: 1, max: 1000}, required: true, doc: "The weights must reach this.", aka: []string{"times", "score"}},
		within,
	}, examples: []string{"{list: furious, at_least: 3, within: 10m}"}}
	rate = &shape{name: "a rate of messages", ref: "messageRate", form: formRecord, fields: []field{
		{key: "messages", of: aCount, required: true, doc: "So many messages of the customer.", aka: []string{"times", "count", "at_least"}},
		within,
	}, examples: []string{"{messages: 8, within: 1m}"}}
	turns = &shape{name: "a number of turns", ref: "turns", form: formRecord, fields: []field{
		{key: "at_least", of: aCount, required: true, doc: "So many messages of the customer since the bot phase began.", aka: []string{"times", "count", "messages"}},
	}, examples: []string{"{at_least: 6}"}}
	fieldTest = &shape{
		name: "a test of a field", ref: "field", form: formRecord,
		atLeastOne: []string{"equals", "in", "matches", "exists", "at_least", "at_most"},
		apart: [][2]string{
			{"equals", "in"},
			{"equals", "matches"},
			{"equals", "exists"},
			{"equals", "at_least"},
			{"equals", "at_most"},
			{"in", "matches"},
			{"in", "exists"},
			{"in", "at_least"},
			{"in", "at_most"},
			{"matches", "exists"},
			{"matches", "at_least"},
			{"matches", "at_most"},
			{"exists", "at_least"},
			{"exists", "at_most"},
		},
		fields: []field{
			{key: "path", required: true, doc: "Where the value stands in the callback: a plain dotted path. Strings that hold JSON are entered.", of: &shape{
				name: "a dotted path", pattern: `^[\p{L}\p{N}_@-]+(\.[\p{L}\p{N}_@-]+)*$`, examples: []string{"CloudCustomData.level", "MsgBody.0.MsgContent.Data.x", "Body.x"},
			}, aka: []string{"name", "key"}},
			{key: "equals", of: aScalar, doc: "The value is this; a number equals its text.", aka: []string{"is", "eq", "value"}},
			{key: "in", of: &shape{name: "a list of values", form: formList, elem: aScalar}, doc: "The value is one of these.", aka: []string{"one_of", "any"}},
			{key: "matches", of: &shape{name: "a regular expression", form: formText}, doc: "The value matches this regular expression (RE2).", aka: []string{"regex", "regexp"}},
			{key: "exists", of: aBool, doc: "The field is there (true), or is not (false)."},
			{key: "at_least", of: &shape{name: "a number", form: formNumber}, doc: "The value is a number, and not below this.", aka: []string{"min"}},
			{key: "at_most", of: &shape{name: "a number", form: formNumber}, doc: "The value is a number, and not above this.", aka: []string{"max"}},
		},
		examples: []string{"{path: CloudCustomData.level, in: [gold, black]}"},
	}
)

// condition is recursive, so its fields are filled in by init.
var condition = &shape{
	name: "a condition", ref: "condition", form: formRecord,
	doc: "What must hold. Several keys must hold together.", examples: []string{"{says: [$ask_human]}", "{all: [{turns: {at_least: 3}}, {hours: office}]}"},
}

// conditionKeys, in the order of RULES.md 2; atLeastOne of condition.
var conditionFields = []field{
	{key: "says", of: saysForms, doc: "The customer's message has one of these phrases.", aka: []string{"keywords", "keyword", "contains", "text", "message", "phrases", "say", "user_says"}},
	{key: "said", of: saidOptions, doc: "A message of the customer in the last time had one of these phrases."},
	{key: "bot_says", of: saysForms, doc: "The bot's message has one of these phrases.", aka: []string{"bot", "bot_said", "reply"}},
	{key: "bot_missed", of: botMissed, doc: "The bot failed to answer so often.", aka: []string{"misses", "missed", "fallback", "fallbacks", "bot_failed"}},
	{key: "repeats", of: repeats, doc: "The customer said about the same thing so often.", aka: []string{"repeated", "same_question"}},
	{key: "mood", of: mood, doc: "The weights of a list's phrases reach a number.", aka: []string{"sentiment", "angry"}},
	{key: "rate", of: rate, doc: "The customer sends messages fast."},
	{key: "turns", of: turns, doc: "So many messages of the customer since the bot phase began."},
	{key: "bot_silent", of: aSpan, doc: "The customer's last message has had no reply of the bot for this time.", aka: []string{"silence", "silent", "no_reply"}},
	{key: "sends", of: listOf(aSend), doc: "The message holds such an element.", aka: []string{"send", "attachment"}},
	{key: "language", of: listOf(aLang), doc: "The language of the conversation; an unknown one matches nothing.", aka: []string{"lang", "languages"}},
	{key: "field", of: fieldTest, doc: "A field of the callback, or of the conversation's last user message or start."},
	{key: "hours", of: &shape{name: "a calendar", pattern: patternName}, doc: "Now is inside this calendar.", aka: []string{"calendar", "open"}},
	{key: "rule", of: aRuleID, doc: "That rule's `when` holds now."},
	{key: "all", of: listOf(condition), doc: "All of these hold.", aka: []string{"and"}},
	{key: "any", of: listOf(condition), doc: "One of these holds.", aka: []string{"or"}},
	{key: "not", of: condition, doc: "This does not hold. Where the condition does not apply to the turn, neither does its not."},
}

func init() {
	condition.fields = conditionFields
	for _, f := range conditionFields {
		condition.atLeastOne = append(condition.atLeastOne, f.key)
	}
}
