package rules

import (
	"slices"
	"sync"
	"time"

	"escalator/rules/text"
)

// Mode says whether rules act.
type Mode string

const (
	ModeEnforce Mode = "enforce"
	ModeShadow  Mode = "shadow"
	ModeOff     Mode = "off"
)

// careful gives the more careful of two modes.
func careful(a, b Mode) Mode {
	if slices.Index(modes, string(b)) > slices.Index(modes, string(a)) {
		return b
	}
	return a
}

// Rate is a count per time, as in `3/24h`.
type Rate struct {
	Count int           `json:"count"`
	Per   time.Duration `json:"per"`
}

// RuleInfo describes one rule for lists and consoles.
type RuleInfo struct {
	ID    string `json:"id"`
	About string `json:"about,omitempty"`
	// Mode is the mode in force: the rule's own, or the file's where that is more careful.
	Mode Mode `json:"mode"`
	// Owner answers for the rule.
	Owner string `json:"owner,omitempty"`
	// Share is the share of the customers that the rule is for, as 10%; "" is all of them.
	Share string `json:"share,omitempty"`
	// Before From and since Until the rule is off; nil: it has no such bound.
	From  *time.Time `json:"from,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	// File is the include that holds the rule, "" the rule file itself.
	File string `json:"file,omitempty"`
	Line int    `json:"line"`
	// Action is transfer, offer, keep or message; To the target or route.
	Action   string        `json:"action"`
	To       string        `json:"to,omitempty"`
	Cooldown time.Duration `json:"cooldown"`
	// PerCustomer says that the cooldown belongs to the customer, and not to the conversation.
	PerCustomer bool `json:"per_customer,omitempty"`
}

// Summary counts what a file holds, for `check`.
type Summary struct {
	Mode      Mode          `json:"mode"`
	Files     int           `json:"files"` // the rule file and those that it takes in
	Rules     int           `json:"rules"`
	Enforcing int           `json:"enforcing"`
	Shadow    int           `json:"shadow"`
	Off       int           `json:"off"`
	Targets   int           `json:"targets"`
	Routes    int           `json:"routes"`
	Lists     int           `json:"lists"`
	Calendars int           `json:"calendars"`
	Tests     int           `json:"tests"`
	Phrases   int           `json:"phrases"`
	Packs     []PackSummary `json:"packs"`
}

// PackSummary describes one built-in pack.
type PackSummary struct {
	Name      string   `json:"name"`
	Phrases   int      `json:"phrases"`
	Languages []string `json:"languages"`
	// Used says that the file needs the pack, Changed that it adds to it or takes away from it.
	Used    bool `json:"used"`
	Changed bool `json:"changed,omitempty"`
}

// Policy is a rule file, compiled. It is immutable and safe for concurrent use.
type Policy struct {
	version    string
	mode       Mode
	cooldown   time.Duration
	sessionTTL time.Duration
	perSession Rate
	global     Rate
	testPolicy string
	events     map[string]EventKind
	providers  map[string]provider // by consultation entry
	taskFlow   string
	wordsFrom  []string
	panel      []namedPath // what agents see of the customer

	targets map[string]*Target
	goals   map[string]*goal
	teams   []*Team
	rules   []*rule
	wakes   [kindsOfTurns][]facts // by the kind of a turn, the rules: of these one must be there, or the rule does not hold
	zone    *time.Location        // of the calendars, nil if they have several
	tests   []Test
	parts   map[Part]string
	lists   map[string]RuleList // that rules name
	summary Summary

	matcher *text.Matcher
	roles   text.Roles
	polite  *matchSet
	yes     *matchSet // answers to offers; nil when no rule makes one
	no      *matchSet
	factsOf []facts // the phrases
	answers facts   // that there is a phrase of polite, yes or no

	missMarks []string
	missSays  *phraseTest

	// What the rules need counted.
	recorders []recorder
	recording []facts         // the recorders: of these one must be there
	silences  []time.Duration // of bot_silent, shortest first
	waits     []time.Duration // of queued_for
	asks      Asks
	repeats   []*repeatsLeaf // all of them
	missesOf  int            // see Counters
	rates     bool           // some rule asks for ratings
	users     bool           // something must be kept of the customers
	userKeys  []uint32       // of the rules whose cooldown belongs to the customer

	pool sync.Pool
}

// rule is one rule, compiled.
type rule struct {
	id, about string
	file      string // that holds it, "" the rule file itself
	line      int
	yaml      string   // its lines
	lists     []string // that it names
	mode      Mode
	owner     string
	share     share
	from      time.Time // before it the rule is off; zero: it always was there
	until     time.Time // from it on the rule is off; zero: it never ends
	when      *cond
	cooldown  time.Duration
	goal      *goal // nil: keep
	say       *Speech
	offer     *Speech
	take      *TakeMessage
	tags      []string
	notify    []string // teams
	// It can hold by `queued_for`, or by `rating`: then the phase does not stop it.
	queues, rates bool
	leaveQueue    bool

	perCustomer bool   // the cooldown belongs to the customer,
	userKey     uint32 // and is kept under this

	// What a transfer changes of the targets to which it leads.
	priority  *int
	agents    []string
	lastAgent time.Duration // the last agent is preferred who had the customer within this time; 0: none
}

// action names what the rule does.
func (r *rule) action() string {
	switch {
	case r.offer != nil:
		return "offer"
	case r.goal != nil:
		return "transfer"
	case r.take != nil:
		return "message"
	}
	return "keep"
}

// Version is Files.Version of what was loaded.
func (p *Policy) Version() string { return p.version }

// Parts are the parts of the file, each with a short hash of what the file says there, whatever its layout and comments. It must not
// be changed.
func (p *Policy) Parts() map[Part]string { return p.parts }

// Mode is the mode of the whole file.
func (p *Policy) Mode() Mode { return p.mode }

// Rules describes the rules in the order of the file.
func (p *Policy) Rules() []RuleInfo {
	infos := make([]RuleInfo, len(p.rules))
	for i, r := range p.rules {
		infos[i] = RuleInfo{
			ID: r.id, About: r.about, Mode: r.mode, File: r.file, Line: r.line, Action: r.action(), Cooldown: r.cooldown, PerCustomer: r.perCustomer,
		}
		infos[i].Owner, infos[i].Share = r.owner, r.share.String()
		if !r.from.IsZero() {
			infos[i].From = &r.from
		}
		if !r.until.IsZero() {
			infos[i].Until = &r.until
		}
		if r.goal != nil {
			infos[i].To = r.goal.name
		}
	}
	return infos
}

// About says what a rule is for, in the words of the file; "" where they do not say.
func (p *Policy) About(rule string) string {
	if r := p.findRule(rule); r != nil {
		return r.about
	}
	return ""
}

// Summary counts what the file holds.
func (p *Policy) Summary() Summary { return p.summary }

// Global is how fast transfers may be sent to Desk.
func (p *Policy) Global() Rate { return p.global }

// EventKind maps the name of a Desk event by the file's `events`.
func (p *Policy) EventKind(name string) (EventKind, bool) {
	k, ok := p.events[name]
	return k, ok
}

// TaskFlowText is the variable of a task flow's API call that holds the user's words, "" if the file names none.
func (p *Policy) TaskFlowText() string { return p.taskFlow }

// BlockOnTests says that a changed file whose tests fail must not be taken (`test_policy: block`).
func (p *Policy) BlockOnTests() bool { return p.testPolicy == "block" }

// NeedsUsers says that the file has a word about the customer beyond the session: only then is anything kept of them.
func (p *Policy) NeedsUsers() bool { return p.users }

// Target finds a target by its id, nil if there is none.
func (p *Policy) Target(id string) *Target { return p.targets[id] }

// Tests are the file's own tests.
func (p *Policy) Tests() []Test { return p.tests }

// phrase is a phrase as it was written, cut if it is very long: it goes into logs and messages.
func (p *Policy) phrase(id text.PhraseID) string {
	return shortenTo(p.matcher.Phrase(id), 80)
}

// missMark says that a mark of a bot message counts as a miss.
func (p *Policy) missMark(mark string) bool {
	return mark != "" && slices.Contains(p.missMarks, mark)
}

// findRule finds a rule by its id.
func (p *Policy) findRule(id string) *rule {
	for _, r := range p.rules {
		if r.id == id {
			return r
		}
	}
	return nil
}
