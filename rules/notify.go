package rules

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

// Team is whom the staff's messages go to, as `notify` declares it: a chat, or any address that takes a POST.
type Team struct {
	Name string
	// Channel is what kind of address it is: one of Channels.
	Channel string
	// URLFile and SecretFile are names of files in the folder of secrets; SecretFile is "" where messages are not signed.
	URLFile, SecretFile string
	// On are the kinds of events that the team is told of, WaitingLong the time after which a waiting customer is one.
	On          []string
	WaitingLong time.Duration
	// Every is the shortest time between two messages about the same matter.
	Every time.Duration
	// Lang is the language of the messages.
	Lang string
	// Words says that customers' words are shown, masked.
	Words bool
}

// Wants says that the team is told of a kind of events.
func (t *Team) Wants(kind string) bool { return slices.Contains(t.On, kind) }

// Channels are the kinds of addresses.
var Channels = []string{"wecom", "feishu", "dingtalk", "slack", "webhook"}

const (
	waitingLong = "waiting_long"
	// maxEvery is how long it is remembered what a team was told last.
	maxEvery = 24 * time.Hour
)

var (
	aSecretFile = &shape{
		name: "a file name", pattern: `^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$`, examples: []string{"wecom-url"},
		doc: "The name of a file in ESCALATOR_SECRETS_DIR, without a folder.", way: "name a file in the folder ESCALATOR_SECRETS_DIR, without the folder, and put the address into it",
	}
	address = &shape{name: "a mapping with url_file", ref: "address", form: formRecord, fields: []field{
		{key: "url_file", of: aSecretFile, required: true, doc: "The file that holds the address. It is a secret: who knows it can write to the team.", aka: []string{"url", "webhook", "address"}},
		{key: "secret_file", of: aSecretFile, doc: "The file that holds the key with which messages are signed: Feishu, DingTalk and webhooks.", aka: []string{"secret", "key", "sign"}},
	}, examples: []string{"{url_file: support-url}"}, way: "an address is a secret: put it into a file in the folder ESCALATOR_SECRETS_DIR and write the file's name here, {url_file: support-url}"}

	eventKinds = []string{"no_agent", "failed", "held", "reload_refused", "message", "unknown_event"}
	aMatter    = &shape{
		name: "a kind of event", ref: "matter", form: formChoice, forms: []*shape{
			eventKind("waiting", waitingLong+": 5m", waitingLong, waitingLong+": 5m", "nobody", "no_agent", "given_up", "failed", "reload", "reload_refused", "messages", "message", "unknown", "unknown_event"),
			{name: "a time to wait", form: formRecord, fields: []field{
				{key: waitingLong, of: aSpan, required: true, doc: "A customer has waited in Desk's queue for this time.", aka: []string{"waiting", "queued_for"}},
			}},
		},
		doc:      "no_agent: nobody was there for a transfer; waiting_long: customers wait in the queue; failed: a transfer or a contact was given up; held: Desk refuses every transfer; reload_refused: a changed rule file was refused; message: a customer left words; unknown_event: Desk tells of something unknown.",
		examples: []string{"no_agent", "waiting_long: 5m"},
	}
	teamShape = &shape{
		name: "a team", ref: "team", form: formRecord, oneOf: [][]string{{"wecom"}, {"feishu"}, {"dingtalk"}, {"slack"}, {"webhook"}}, fields: []field{
			{key: "wecom", of: address, doc: "A group robot of WeCom.", aka: []string{"wechat_work", "weixin", "qywx"}},
			{key: "feishu", of: address, doc: "A custom bot of Feishu or Lark.", aka: []string{"lark"}},
			{key: "dingtalk", of: address, doc: "A custom robot of DingTalk.", aka: []string{"dingding"}},
			{key: "slack", of: address, doc: "An incoming webhook of Slack."},
			{key: "webhook", of: address, doc: "Any address that takes a POST of JSON.", aka: []string{"http", "url", "post"}},
			{key: "on", of: &shape{name: "a list of kinds of events", form: formList, elem: aMatter, empty: true}, doc: "What the team is told of, beside what rules tell it.", aka: []string{"events", "when", "for"}},
			{key: "every", of: aSpan, standard: "10m", doc: "One message about the same matter in this time; it says how often it happened since. At most 24h.", aka: []string{"interval", "cooldown"}},
			{key: "lang", of: aLang, standard: "zh", doc: "The language of the messages: zh or en; any other is en.", aka: []string{"language"}},
			{key: "words", of: aBool, standard: "false", doc: "Show customers' words, with numbers and e-mail addresses hidden.", aka: []string{"text", "messages"}},
		}, examples: []string{"{wecom: {url_file: support-url}, on: [no_agent, waiting_long: 5m]}"},
	}
	aTeam = &shape{name: "a team", pattern: patternName, examples: []string{"support"}}
)

// eventKind is one of the events that need no time. Its hint names the one that does, too.
func eventKind(synonyms ...string) *shape {
	s := enumShape("a kind of event", eventKinds, synonyms...)
	s.way = lang.Say("valid: %s, %s: 5m", strings.Join(eventKinds, ", "), waitingLong)
	return s
}

// teams reads `notify`.
func (l *loader) teams(n *yaml.Node) {
	for _, pair := range l.declared(n) {
		t := &Team{
			Name:  textOf(pair[0]),
			Every: l.duration(l.value(pair[1], teamShape, "every")),
			Lang:  textOf(l.value(pair[1], teamShape, "lang")),
			Words: boolOf(l.value(pair[1], teamShape, "words")),
		}
		if t.Every > maxEvery {
			l.fail(l.get(pair[1], "every"), "for example every: 10m", "what a team was told is remembered for %s at most", formatDuration(maxEvery))
		}
		for _, channel := range Channels {
			if at := l.get(pair[1], channel); at != nil {
				t.Channel, t.URLFile, t.SecretFile = channel, textOf(l.get(at, "url_file")), textOf(l.get(at, "secret_file"))
				l.idle(at, "secret_file", channel == "wecom" || channel == "slack", lang.Say("messages to `%s` are not signed", channel), "take it out")
			}
		}
		for _, matter := range l.items(l.get(pair[1], "on")) {
			if matter.Kind == yaml.ScalarNode {
				t.On = append(t.On, textOf(matter))
				continue
			}
			long := l.get(matter, waitingLong)
			t.On, t.WaitingLong = append(t.On, waitingLong), l.duration(long)
			if long != nil && t.WaitingLong > maxAwayFromBot {
				l.fail(long, "shorten it", "%s is longer than a customer in the queue is remembered (%s)", long.Value, formatDuration(maxAwayFromBot))
			}
			l.policy.waits = append(l.policy.waits, t.WaitingLong)
		}
		l.policy.teams = append(l.policy.teams, t)
	}
}

// findTeams reads whom a rule tells, or complains.
func (l *loader) findTeams(n *yaml.Node) (names []string) {
	var known []string
	for _, t := range l.policy.teams {
		known = append(known, t.Name)
	}
	for _, item := range l.items(n) {
		name := textOf(item)
		switch {
		case !slices.Contains(known, name):
			l.failUnknown(item, "team", known)
		case slices.Contains(names, name):
			l.fail(item, "keep one of them", "`%s` stands here a second time", name)
		default:
			names, l.usedTeams[name] = append(names, name), true
		}
	}
	return names
}

// lintTeams finds teams that nobody ever tells anything.
func (l *loader) lintTeams(n *yaml.Node) {
	for i, pair := range l.pairs(n) {
		if t := l.policy.teams[i]; len(t.On) == 0 && !l.usedTeams[t.Name] {
			l.warn(pair[0].Line, pair[0].Column, "give it `on`, name it in a rule's `notify`, or take it out", "the team `%s` is never told anything: it has no `on`, and no rule names it", t.Name)
		}
	}
	for _, pair := range l.pairs(n) {
		seen := map[string]bool{}
		for _, matter := range l.items(l.get(pair[1], "on")) {
			word := textOf(matter)
			if matter.Kind == yaml.MappingNode {
				word = waitingLong
			}
			if seen[word] {
				l.warn(matter.Line, matter.Column, "keep one of them", "the team `%s` has `%s` twice", pair[0].Value, word)
			}
			seen[word] = true
		}
	}
}

// Teams are those that the file declares, in its order.
func (p *Policy) Teams() []*Team { return p.teams }

// Team finds a team by its name, nil if there is none.
func (p *Policy) Team(name string) *Team {
	if i := slices.IndexFunc(p.teams, func(t *Team) bool { return t.Name == name }); i >= 0 {
		return p.teams[i]
	}
	return nil
}
