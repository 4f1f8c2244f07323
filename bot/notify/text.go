package notify

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"escalator/rules"
)

// lateAfter is the age from which a message says when it happened.
const lateAfter = 5 * time.Minute

// notice is what a team is told: as text, and for an address of one's own as fields.
type notice struct {
	Team string `json:"team"`
	Kind Kind   `json:"kind"`
	Over bool   `json:"over"`
	// Count is how many events there were since the last message, the first of them at
	// Since.
	Count int       `json:"count"`
	Since time.Time `json:"since"`
	// Waiting is how many customers wait; nil: nobody knows.
	Waiting *int     `json:"waiting,omitempty"`
	Target  string   `json:"target,omitempty"`
	Rule    string   `json:"rule,omitempty"`
	Session string   `json:"session,omitempty"` // of the last event
	Details []string `json:"details,omitempty"`
	Words   []string `json:"words,omitempty"`
	Text    string   `json:"text"`

	id       string
	again    bool // the team was told of it before
	contact  bool
	longWait time.Duration // waiting_long of the team
}

// notice makes of a group what its team is told now.
func (n *Notifier) notice(ctx context.Context, g *group, team *rules.Team) notice {
	e := g.Event
	told := notice{
		Team: g.Team, Kind: e.Kind, Over: g.Over, Count: g.Count, Since: g.Since.UTC(), Target: e.Target, Rule: e.Rule, Session: e.Session,
		Details: g.Details, id: g.ID, again: g.Told || !e.Kind.ends(e.Contact) && !g.Sent.IsZero(), contact: e.Contact, longWait: team.WaitingLong,
	}
	if team.Words {
		told.Words = g.Words
	}
	if !g.Over && !e.Contact {
		told.Waiting = n.waiting(ctx, g)
	}
	told.Text = told.words(languageOf(team.Lang), n.Clock.Now())
	return told
}

// waiting is how many customers wait in the matter of a group, nil where nobody knows or
// the team need not.
func (n *Notifier) waiting(ctx context.Context, g *group) *int {
	var waiting int
	switch e := g.Event; {
	case e.Kind.tracked():
		waiting = len(g.Open)
	case e.Kind != NoAgent && e.Kind != Held:
		return nil
	case e.Waiting != nil || n.Waiting == nil:
		return e.Waiting
	default:
		waiting = n.Waiting(ctx)
	}
	return &waiting
}

// words writes the text of a notice.
func (t *notice) words(l *language, now time.Time) string {
	key := string(t.Kind)
	if t.contact {
		key = "contact"
	}
	if t.Over {
		key += " over"
	}
	fill := t.filler(l)
	lines := []string{l.head + fill.Replace(l.titles[key])}
	add := func(line string) {
		if line != "" {
			lines = append(lines, fill.Replace(line))
		}
	}
	if said := l.said[key]; said != "" {
		if t.again && !t.Over && strings.Contains(said, "{") { // it counts something
			said = l.again + said
		}
		if t.Waiting != nil && *t.Waiting > 0 {
			said += l.waiting
		}
		add(said + l.stop)
	}
	if !t.Over && t.Kind != test && now.Sub(t.Since) > lateAfter {
		add(l.late)
	}
	if t.Target != "" {
		add(l.target)
	}
	if t.Rule != "" && t.Kind != ByRule && !t.Over {
		add(l.rule)
	}
	if len(t.Details) > 0 && !t.Over {
		add(l.detail)
	}
	for _, w := range t.Words {
		lines = append(lines, l.quote[0]+w+l.quote[1])
	}
	if !t.Over {
		add(l.look(t))
	}
	return strings.Join(lines, "\n")
}

// filler puts values in the place of names in braces.
func (t *notice) filler(l *language) *strings.Replacer {
	waiting := 0
	if t.Waiting != nil {
		waiting = *t.Waiting
	}
	return strings.NewReplacer(
		"{count}", strconv.Itoa(t.Count), "{customers}", l.customers(t.Count), "{waiting}", l.customers(waiting), "{times}", l.times(t.Count),
		"{team}", t.Team, "{rule}", t.Rule, "{target}", t.Target, "{session}", inShell(t.Session), "{details}", strings.Join(t.Details, l.comma),
		"{long}", l.duration(t.longWait), "{since}", t.Since.Format("2006-01-02 15:04 MST"),
	)
}

// plainInShell holds for words that no shell and no command takes for anything else.
var plainInShell = regexp.MustCompile(`^[\w@%+:,./][\w@%+:,./-]*$`)

// inShell writes the id of a session, which a stranger may have chosen, so that the
// command with it can be copied from the message into a shell.
func inShell(id string) string {
	if plainInShell.MatchString(id) {
		return id
	}
	return "-- '" + strings.ReplaceAll(id, "'", `'\''`) + "'"
}

// language is how messages are worded in one language.
type language struct {
	head, stop, again, waiting, late, target, rule, detail, comma string

	titles, said map[string]string // by kind; "… over": that it is over
	quote        [2]string
	customers    func(int) string
	times        func(int) string
	duration     func(time.Duration) string
	seeIn        string // where to look, followed by a command
	mapIt        string // what to do about an unknown event
}

// languageOf falls back to English.
func languageOf(lang string) *language {
	if lang == "zh" {
		return &chinese
	}
	return &english
}

// look is where to look, "" for nowhere.
func (l *language) look(t *notice) string {
	switch t.Kind {
	case Failed:
		if !t.contact {
			return l.seeIn + "escalator outbox"
		}
	case Held:
		return l.seeIn + "escalator doctor"
	case ReloadRefused:
		return l.seeIn + "escalator check"
	case UnknownEvent:
		return l.mapIt
	default:
	}
	if t.Session == "" {
		return ""
	}
	return l.seeIn + "escalator conversation {session}"
}

var chinese = language{
	head: "【Escalator】", stop: "。", again: "上次通知以来，", waiting: "，目前 {waiting}在等待", late: "最早发生于 {since}", target: "目标：{target}", rule: "规则：{rule}", detail: "详情：{details}", comma: "；",
	quote: [2]string{"客户：", ""}, seeIn: "查看：", mapIt: "如需识别，请在规则文件的 events 中说明其含义。",
	titles: map[string]string{
		"no_agent": "没有客服在线", "waiting_long": "客户排队过久", "failed": "转人工失败", "contact": "未能联系留言客户", "held": "Desk 拒绝所有转人工",
		"reload_refused": "新的规则文件未生效", "message": "客户留言", "unknown_event": "未知的 Desk 事件", "rule": "规则 {rule} 触发", "test": "测试消息",
		"no_agent over": "已有客服接待", "waiting_long over": "已无客户长时间排队", "failed over": "失败的转人工已全部处理", "held over": "Desk 恢复转人工",
		"reload_refused over": "规则文件已恢复正常", "message over": "留言客户已全部联系",
	},
	said: map[string]string{
		"no_agent": "{customers}转人工时没有客服在线", "waiting_long": "{customers}排队已超过 {long}", "failed": "有 {count} 次转人工失败，已不再重试", "contact": "{customers}留言后未能联系上，请人工处理",
		"held": "转人工暂停，修正配置后自动恢复，不会丢失", "reload_refused": "文件有误，仍使用原来的规则", "message": "收到 {count} 条留言", "unknown_event": "Desk 上报了名称未知的事件，未作处理",
		"rule": "共触发 {times}", "test": "发给 {team} 的测试消息，收到即配置正确",
		"no_agent over": "转人工已被接受", "held over": "等待中的转人工正在发送", "reload_refused over": "使用的规则与文件一致",
	},
	customers: func(n int) string { return fmt.Sprintf("%d 位客户", n) },
	times:     func(n int) string { return fmt.Sprintf("%d 次", n) },
	duration: func(d time.Duration) string {
		return spelled(d, "%d 小时", "%d 分钟", "%d 秒", "")
	},
}

var english = language{
	head: "Escalator: ", stop: ".", again: "Since the last message: ", waiting: "; {waiting} waiting now", late: "The first was at {since}.", target: "Target: {target}", rule: "Rule: {rule}", detail: "Details: {details}", comma: "; ",
	quote: [2]string{"Customer: ", ""}, seeIn: "Look at: ", mapIt: "Say what it means under events: in the rule file.",
	titles: map[string]string{
		"no_agent": "no agent online", "waiting_long": "customers are waiting too long", "failed": "transfer failed", "contact": "customer could not be contacted", "held": "Desk refuses every transfer",
		"reload_refused": "the new rule file is not in force", "message": "a customer left a message", "unknown_event": "unknown event from Desk", "rule": "rule {rule} fired", "test": "test message",
		"no_agent over": "agents are taking customers again", "waiting_long over": "nobody is waiting too long any more", "failed over": "no failed transfer is left", "held over": "Desk takes transfers again",
		"reload_refused over": "the rule file is all right again", "message over": "everybody who left a message was contacted",
	},
	said: map[string]string{
		"no_agent": "{customers} asked for a person while no agent was online", "waiting_long": "{customers} waited for more than {long}", "failed": "Transfers given up: {count}", "contact": "{customers} left a message and could not be contacted; somebody should do it by hand",
		"held": "Transfers are kept, and go out when the settings are right again", "reload_refused": "The file has mistakes, and the rules from before stay", "message": "Messages received: {count}", "unknown_event": "Desk reported an event of an unknown name, which was ignored",
		"rule": "It fired {times}", "test": "A test message for {team}. If you can read it, the settings are right",
		"no_agent over": "A transfer was accepted", "held over": "The transfers that waited are going out", "reload_refused over": "The rules in force are those of the file",
	},
	customers: func(n int) string { return plural(n, "customer") },
	times: func(n int) string {
		if n == 1 {
			return "once"
		}
		return plural(n, "time")
	},
	duration: func(d time.Duration) string {
		return spelled(d, "%d hour", "%d minute", "%d second", "s")
	},
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// spelled writes a length of time in its largest unit that leaves nothing over.
func spelled(d time.Duration, hours, minutes, seconds, many string) string {
	n, word := int(d/time.Second), seconds
	switch {
	case d%time.Hour == 0:
		n, word = int(d/time.Hour), hours
	case d%time.Minute == 0:
		n, word = int(d/time.Minute), minutes
	}
	if n == 1 {
		many = ""
	}
	return fmt.Sprintf(word, n) + many
}
