package inspect

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/rules"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const plain = "version: 1\ntargets: {default: {}}\nrules: [{id: ask, when: {says: [human]}, then: {transfer: default}}]\n"

func policy(t testing.TB, source string) *rules.Policy {
	t.Helper()
	p, report := rules.Load([]byte(source), rules.LoadOptions{})
	if p == nil {
		t.Fatal(report.Errors)
	}
	return p
}

// scene is an emulator, and what is compared with it.
type scene struct {
	t    testing.TB
	desk *desktest.Desk
	Options
}

func newScene(t testing.TB, source string) *scene {
	t.Helper()
	d := desktest.New(desktest.Options{})
	if err := d.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	d.SetGroup(2473, "售后")
	d.SetGroup(2474, "Sales")
	d.SetAgent(desktest.Agent{ID: "li@example.com", Groups: []int64{2473}, Online: true})
	c, err := desk.NewClient(desk.ClientOptions{Identity: d.Identity(), URL: d.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &scene{t, d, Options{Desk: c, Policy: policy(t, source), AIProvider: "desk"}}
}

func (s *scene) run() string {
	var b strings.Builder
	for _, f := range Run(s.t.Context(), s.Options) {
		fmt.Fprintf(&b, "%t %s: %s → %s\n", f.OK, f.Check, f.Detail, f.WayOut)
	}
	return b.String()
}

// entry changes the entry of the emulator.
func (s *scene) entry(change func(e *desktest.Entry)) {
	e := desktest.Entry{ID: desktest.DefaultService, Robot: true, Texts: map[string]map[string]any{"zh": {}}}
	change(&e)
	s.desk.SetEntry(e)
}

func TestRun_findsWhatDoesNotGoTogether(t *testing.T) {
	rule := func(then string) string {
		return "version: 1\ntargets: {default: {}}\nrules: [{id: ask, when: {says: [human]}, then: {" + then + "}}]\n"
	}
	target := func(fields string) string {
		return "version: 1\ncalendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-21:00]}}\ntargets: {default: {" + fields +
			"}}\nrules: [{id: ask, when: {says: [human]}, then: {transfer: default}}]\n"
	}
	text := func(name, words string, more ...any) func(*scene) {
		return func(s *scene) {
			s.entry(func(e *desktest.Entry) {
				e.Texts["zh"][name] = words
				if len(more) > 0 {
					e.Texts["zh"][name+"Disabled"] = more[0]
				}
			})
		}
	}
	hours := func(day any, start, end string) func(*scene) {
		return func(s *scene) {
			s.entry(func(e *desktest.Entry) {
				var periods []any
				for i := range 5 {
					d := day
					if day == nil {
						d = i + 1
					}
					periods = append(periods, map[string]any{"Day": d, "PeriodsWithinOneDay": []any{map[string]any{"Start": start, "End": end}}})
				}
				e.Texts["zh"]["WorkTimeConfig"] = map[string]any{"Type": 1, "Periods": periods}
			})
		}
	}
	robot := func(kind int, on bool) func(*scene) {
		return func(s *scene) {
			s.entry(func(e *desktest.Entry) { e.RobotType, e.Robot = kind, on })
		}
	}
	misses := "version: 1\ntargets: {default: {}}\nrules: [{id: stuck, when: {bot_missed: {times: 2, within: 5m}}, then: {transfer: default}}]\n"
	for name, c := range map[string]struct {
		source string
		set    func(*scene)
		want   []string
		not    []string
	}{
		"say beside Desk's prompt": {rule("transfer: default, say: One moment"), text("TransferToHumanPrompt", "正在为您转接", 0), []string{
			`true texts: warning: customers would get both: rule ask (say), and Desk's TransferToHumanPrompt of entry @customer_service_account (zh), setting 1 (zh), "正在为您转接" → switch it off`,
		}, nil},
		"say, and the prompt is off":            {rule("transfer: default, say: One moment"), text("TransferToHumanPrompt", "正在为您转接", 1), []string{"texts: nothing that the rules say is said by Desk as well"}, []string{"both"}},
		"say, and nobody knows whether it's on": {rule("transfer: default, say: One moment"), text("TransferToHumanPrompt", "hello"), []string{"customers may get both", "Desk does not say whether it is on"}, nil},
		"words that stay with the bot":          {rule("keep: true, say: Hello"), text("TransferToHumanPrompt", "hello", 0), nil, []string{"both"}},
		"an offer":                              {rule("transfer: default, offer: A person?"), text("TransferToHumanPrompt", "hello", 0), nil, []string{"both"}},
		"queued, with the place":                {target("say_if_queued: Please wait"), text("QueueingPrompt", "第${QueuePosition}位", 0), []string{"target default (say_if_queued), and Desk's QueueingPrompt", "tells the place in the queue"}, nil},
		"nobody there":                          {target("say_if_no_agent: Nobody"), text("TransferToHumanFailPrompt", "sorry", 0), []string{"may get both: target default (say_if_no_agent), and Desk's TransferToHumanFailPrompt"}, nil},
		"closed":                                {target("open: office, say_if_closed: Closed"), text("NotWorkTimePrompt", "closed", 0), []string{"may get both: target default (say_if_closed), and Desk's NotWorkTimePrompt"}, nil},
		"the same hours":                        {target("open: office"), hours(nil, "09:00", "21:00:00"), []string{"true hours: target default is open as entry @customer_service_account (zh), setting 1 (zh) says"}, []string{"differ"}},
		"other hours": {target("open: office"), hours(nil, "09:00", "18:00"), []string{
			"warning: the hours differ: target default (open: office, Asia/Shanghai) has mon-fri 09:00-21:00; entry @customer_service_account (zh), setting 1 (zh) has mon-fri 09:00-18:00 →",
		}, nil},
		"one day by its name":        {target("open: office"), hours("周一", "09:00", "21:00"), []string{"has tue-fri 09:00-21:00; entry @customer_service_account (zh), setting 1 (zh) has tue-fri closed"}, nil},
		"hours that cannot be read":  {target("open: office"), hours("Caturday", "09:00", "21:00"), []string{`unknown: the hours of entry @customer_service_account (zh), setting 1 (zh) ("Caturday" "09:00"-"21:00" cannot be read)`}, []string{"differ"}},
		"no hours":                   {target("open: office"), func(*scene) {}, []string{"unknown: the hours of", "WorkTimeConfig.Type is 0"}, nil},
		"a group":                    {target("group: 2473"), func(*scene) {}, []string{"true groups: target default: group 2473 售后, 1 agents: li@example.com"}, nil},
		"an empty group":             {target("group: 2474"), func(*scene) {}, []string{"true groups: warning: target default: group 2474 Sales, nobody is in it"}, nil},
		"no such group":              {target("group: 2437"), func(*scene) {}, []string{"false groups: target default names group 2437, which Desk does not have; it has 2473 售后, 2474 Sales → did you mean 2473?"}, nil},
		"no such agent":              {target("agents: [lee@example.com]"), func(*scene) {}, []string{"false agents: target default names lee@example.com, whom Desk does not know; it knows li@example.com → did you mean li@example.com?"}, nil},
		"no such agent of a rule":    {rule("transfer: default, agents: [wu@example.com]"), func(*scene) {}, []string{"false agents: rule ask names wu@example.com"}, nil},
		"an agent who is there":      {target("agents: [li@example.com]"), func(*scene) {}, []string{"true agents: Desk knows 1 of the 1 agents"}, []string{"false"}},
		"an excuse":                  {misses, func(s *scene) { s.desk.SetRobot(map[string]any{"FallbackMsg": "Sorry, I did not understand."}) }, []string{`robot: its excuse "Sorry, I did not understand." counts as a miss`}, nil},
		"an excuse that is unknown":  {misses, func(s *scene) { s.desk.SetRobot(map[string]any{"FallbackMsg": "Bananas are blue."}) }, []string{`warning: its excuse "Bananas are blue." does not count as a miss`, `says: [$bot_missed, "Bananas are blue."]`}, nil},
		"an excuse nobody waits for": {plain, func(*scene) {}, []string{"no rule counts misses by words"}, nil},
		"two callers":                {rule("transfer: default, offer: A person?"), func(s *scene) { s.desk.SetRobot(map[string]any{"ToAgentEnable": 1}) }, []string{"ToAgentEnable", "beside it ask rule ask (offer)"}, nil},
		"the built-in robot":         {plain, robot(desk.RobotBuiltIn, true), []string{"true robot: entry @customer_service_account has Desk's built-in robot; ESCALATOR_AI_PROVIDER says desk"}, []string{"warning: entry"}},
		"no robot":                   {plain, robot(desk.RobotBuiltIn, false), []string{"warning: entry @customer_service_account has no robot, and ESCALATOR_AI_PROVIDER says desk"}, nil},
		"an own bot by a share, not connected": {plain + "ai_provider: {\"@customer_service_account\": {self: 20%, else: desk}}\n", robot(desk.RobotBuiltIn, true), []string{
			"warning: ai_provider says self for entry @customer_service_account, which has Desk's built-in robot", "standard edition refuses that",
		}, nil},
		"an own bot that is passed over": {plain, robot(desk.RobotThirdParty, true), []string{"warning: entry @customer_service_account has a third-party bot, and ESCALATOR_AI_PROVIDER says desk"}, nil},
		"an own bot behind us":           {plain, func(s *scene) { robot(desk.RobotThirdParty, true)(s); s.Forwards = true }, []string{"has a third-party bot; ESCALATOR_AI_PROVIDER says desk"}, []string{"warning: entry"}},
		"an own bot, nobody told":        {plain, func(s *scene) { robot(desk.RobotThirdParty, true)(s); s.AIProvider = "omit" }, []string{"says omit: Desk is not told who answers"}, nil},
		"an entry that is not there":     {plain + "ai_provider: {\"@customer_servce_account\": self}\n", func(*scene) {}, []string{"ai_provider names the entry @customer_servce_account, which Desk does not have", "did you mean @customer_service_account?"}, nil},
		"each call is answered":          {plain, func(*scene) {}, []string{"true desk calls: Desk answers every call that reads"}, []string{"unknown", "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, c.source)
			c.set(s)
			got := s.run()
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("it does not say %q:\n%s", want, got)
				}
			}
			for _, not := range c.not {
				if strings.Contains(got, not) {
					t.Errorf("it says %q:\n%s", not, got)
				}
			}
		})
	}
}

// needy is a file of which each call of Desk tells something.
const needy = `version: 1
calendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-21:00]}}
targets: {default: {group: 2473, agents: [li@example.com], open: office, say_if_queued: wait}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default, say: One moment}}
  - {id: stuck, when: {bot_missed: {times: 2, within: 5m}}, then: {transfer: default}}
`

// TestRun_aRefusedCall_isALineAndNoFault refuses each call, then all of them.
func TestRun_aRefusedCall_isALineAndNoFault(t *testing.T) {
	calls := map[string]string{
		"describe_reception_realtime_statistics": "agents and queue", "describe_member_realtime_statistics": "who the agents are",
		"describe_im_cdr_list": "how sessions ended", "desc_robot_config": "what Desk's robot says",
		"get_channel_specific_conversation_settings": "the sets of texts", "get_im_agent_list_multilingual": "the consultation entries",
		"get_desk_im_agent_list": "whose robot an entry has", "get_member_group_list": "the groups", "get_member_list_in_group": "who is in a group",
	}
	for call, lost := range calls {
		t.Run(call, func(t *testing.T) {
			s := newScene(t, needy)
			if err := s.desk.Fail(desktest.Fault{Command: call, Kind: desktest.FaultCode, Code: 72001, Probability: 1}); err != nil {
				t.Fatal(err)
			}
			got := s.run()
			want := "true desk calls: unknown: " + lost
			if strings.Contains(got, "false") || strings.Count(got, want) != 1 || !strings.Contains(got, "because "+call+": code 72001") {
				t.Errorf("want one line %q and no fault:\n%s", want, got)
			}
			if strings.Count(got, "desk calls") != 1 {
				t.Errorf("other calls are said to be refused:\n%s", got)
			}
		})
	}
	s := newScene(t, needy)
	if err := s.desk.Fail(desktest.Fault{Kind: desktest.FaultCode, Code: 60009, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	if got := s.run(); strings.Contains(got, "false") || strings.Count(got, "desk calls: unknown") != len(calls)-1 { // no entry to ask for by its id
		t.Errorf("all refused:\n%s", got)
	}
}

// TestRun_missingFields_areUnknown leaves each field out that is read.
func TestRun_missingFields_areUnknown(t *testing.T) {
	for _, field := range []string{
		"Data", "Total", "TotalCount", "MemberGroupList", "MemberGroupName", "GroupMemberCount", "MemberList", "MemberMail", "MemberGroupID", "MemberId", "IMAgentUserID", "ChatbotDisabled",
		"RobotEnable", "RobotType", "RobotId", "MultilingualSettings", "WorkTimeConfig", "FallbackMsg", "ToAgentEnable", "IMCdrList", "TransferToHumanPromptDisabled",
	} {
		s := newScene(t, needy)
		if err := s.desk.Fail(desktest.Fault{Kind: desktest.FaultOmit, Fields: []string{field}, Probability: 1}); err != nil {
			t.Fatal(err)
		}
		if got := s.run(); strings.Contains(got, "false") {
			t.Errorf("without %s:\n%s", field, got)
		}
	}
}

func TestRun_withoutARobotsType_saysThatItIsUnknown(t *testing.T) {
	s := newScene(t, plain)
	if err := s.desk.Fail(desktest.Fault{Kind: desktest.FaultOmit, Fields: []string{"RobotType", "RobotEnable", "ChatbotDisabled"}, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	if got := s.run(); !strings.Contains(got, "unknown: whether entry @customer_service_account has a robot, and whose") {
		t.Error(got)
	}
}

func TestRun_isBounded(t *testing.T) {
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("nobody%d@example.com", i))
	}
	s := newScene(t, "version: 1\ntargets: {default: {agents: ["+strings.Join(many, ", ")+"]}}\nrules: [{id: ask, when: {says: [human]}, then: {transfer: default}}]\n")
	findings := Run(t.Context(), s.Options)
	agents := slices.DeleteFunc(findings, func(f Finding) bool { return f.Check != "agents" })
	if len(agents) != maxLines+1 || agents[maxLines].OK || !strings.Contains(agents[maxLines].Detail.String(), "and 31 more") {
		t.Errorf("%d lines, the last: %+v", len(agents), agents[len(agents)-1])
	}
}

// silent never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestRun_aDeskThatHangs_endsInTime waits in virtual time: five seconds for the first
// questions, which go beside each other, and for those that follow from them.
func TestRun_aDeskThatHangs_endsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := desk.NewClient(desk.ClientOptions{
			Identity: desk.Identity{SDKAppID: 1, Identifier: "administrator", Key: "key"}, URL: "https://desk.example", Transport: silent{},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		began := time.Now()
		findings := Run(t.Context(), Options{Desk: c, Policy: policy(t, needy), AIProvider: "desk"})
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
		for _, f := range findings {
			if !f.OK || !strings.HasPrefix(f.Detail.String(), "unknown: ") || f.Check != "desk calls" {
				t.Errorf("%+v", f)
			}
		}
	})
}
