package desktest

import (
	"fmt"
	"testing"
	"time"

	"escalator/bot/desk"

	"github.com/google/go-cmp/cmp"
)

// clock is a time that a test moves on.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestDesk_records_tellHowSessionsWent(t *testing.T) {
	s := startService(t, "")
	at := &clock{time.Now().Truncate(time.Second)}
	from := at.at
	d, c := start(t, Options{CallbackURL: s.URL, Now: at.now, AnswerAtOnce: true})
	d.SetAgent(Agent{ID: "a@x.com", Groups: []int64{3067}, Online: true, Capacity: 1})
	d.Begin("taken", WithUser("u"))
	d.Begin("queued", WithUser("u"))
	d.Begin("bot")
	for _, id := range []string{"taken", "queued"} {
		if _, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: id}); err != nil {
			t.Fatal(err)
		}
	}
	at.at = at.at.Add(10 * time.Second)
	d.Expire("queued")
	d.Rate("taken", 2)
	d.CloseSession("taken")
	d.Rate("taken", 5, WithEvent("Session.Rated"))
	d.Expire("bot")
	for e := s.next(t); ; e = s.next(t) {
		if stars, ok := e.Field("SatisfactionSelected"); ok {
			if stars != "5" || e.Name != "Session.Rated" || e.SessionID != "taken" {
				t.Errorf("%s stars for %s by %s", stars, e.SessionID, e.Name)
			}
			break
		}
	}
	page, err := c.Records(t.Context(), from, at.at, "")
	if err != nil {
		t.Fatal(err)
	}
	ten, zero, five := 10*time.Second, time.Duration(0), 5
	want := []desk.SessionRecord{
		{SessionID: "taken", UserID: "u", AgentID: "a@x.com", GroupID: "3067", GroupName: "Group 3067", EndStatus: EndedByAgent, Duration: &ten, Rating: &five, At: from},
		{SessionID: "queued", UserID: "u", NoAgent: true, GroupID: "0", GroupName: "Group 0", EndStatus: endedTimeout, Duration: &zero, At: from},
	}
	if diff := cmp.Diff(want, page.Items); diff != "" {
		t.Error(diff)
	}
	for name, tt := range map[string]struct {
		from, to time.Time
		user     string
		want     int
	}{
		"of the user":    {from, at.at, "u", 2},
		"of another":     {from, at.at, "x", 0},
		"before":         {from.Add(-time.Hour), from.Add(-time.Second), "", 0},
		"of this second": {from, from, "", 2},
	} {
		if page, err := c.Records(t.Context(), tt.from, tt.to, tt.user); err != nil || len(page.Items) != tt.want {
			t.Errorf("%s: %d, %v", name, len(page.Items), err)
		}
	}
	if a := d.Rate("nothing", 5); !a.Skipped {
		t.Error("rated what is not there")
	}
}

func TestDesk_statistics_equalTheRecords(t *testing.T) {
	at := &clock{time.Date(2026, 11, 28, 9, 59, 0, 0, time.UTC)}
	from := at.at
	d, c := start(t, Options{Now: at.now, AnswerAtOnce: true})
	d.SetAgent(Agent{ID: "a@x.com", Online: true})
	d.SetAgent(Agent{ID: "b@x.com"})
	for i := range 250 {
		id := fmt.Sprint("s", i)
		d.Begin(id)
		if i%5 != 0 {
			d.SetState(id, desk.StateWaiting, "a@x.com")
			d.Accept(id)
			at.at = at.at.Add(time.Second)
			d.Rate(id, 1+i%5)
			d.CloseSession(id)
		}
	}
	page, err := c.Records(t.Context(), from, at.at, "")
	if err != nil || len(page.Items) != 200 || *page.Total != 200 {
		t.Fatal(len(page.Items), err)
	}
	hours, err := c.SessionStatistics(t.Context(), from, at.at, true)
	if err != nil || len(hours) != 2 || hours[0].Time != "09:00" || hours[1].Time != "10:00" {
		t.Errorf("%+v %v", hours, err)
	}
	days, err := c.SessionStatistics(t.Context(), from, at.at, false)
	if err != nil || len(days) != 1 || days[0].Time != "2026-11-28" {
		t.Fatalf("%+v %v", days, err)
	}
	want := map[string]float64{"TotalSessionCnt": 250, "TransferAgentSessionCnt": 200, "AgentAcceptCnt": 200, "SatisfactionSelectedCnt": 200, "FiveStarSelectedCnt": 50, "OneStarSelectedCnt": 0, "AvgAcceptTime": 1}
	for name, n := range want {
		if got, ok := days[0].Figure(name); !ok || got != n {
			t.Errorf("%s: %v, want %v", name, got, n)
		}
	}
	agents, err := c.AgentStatistics(t.Context(), from, at.at)
	if err != nil || len(agents.Items) != 2 {
		t.Fatalf("%+v %v", agents, err)
	}
	for i, want := range []float64{200, 0} {
		if got, _ := agents.Items[i].Figure("TotalSessionCnt"); got != want {
			t.Errorf("%s: %v", agents.Items[i].AgentID, got)
		}
	}
}

func TestDesk_setup_isRead(t *testing.T) {
	d, c := start(t, Options{})
	d.SetEntry(Entry{ID: "shop", RobotType: desk.RobotThirdParty, RobotID: "r", Group: 9, Texts: map[string]map[string]any{
		"en": {"QueueingPrompt": "Wait", "QueueingPromptDisabled": 1, "WorkTimeConfig": map[string]any{"Type": 1, "Periods": []any{
			map[string]any{"Day": 1, "PeriodsWithinOneDay": []any{map[string]any{"Start": "09:00", "End": "18:00"}}},
		}}},
	}})
	d.SetRobot(map[string]any{"FallbackMsg": "Sorry", "ToAgentEnable": 1})
	entries, err := c.Entries(t.Context())
	if err != nil || len(entries) != 2 || entries[0].ID != DefaultService || !*entries[0].Robot || entries[1].GroupID != "9" || *entries[1].Robot || entries[1].RobotType != nil {
		t.Errorf("%+v %v", entries, err)
	}
	shop := entries[1].Texts["en"]
	if !shop.Disabled["QueueingPrompt"] || shop.ByName["QueueingPrompt"] != "Wait" || len(shop.Hours.Periods) != 1 || shop.Hours.Periods[0] != (desk.Period{Day: "1", Start: "09:00", End: "18:00"}) {
		t.Errorf("%+v", shop)
	}
	newer, err := c.EntriesByID(t.Context(), "shop", DefaultService)
	if err != nil || len(newer) != 2 || *newer[0].RobotType != desk.RobotThirdParty || *newer[1].RobotType != desk.RobotBuiltIn {
		t.Errorf("%+v %v", newer, err)
	}
	if _, err := c.EntriesByID(t.Context(), "shop", "unknown"); codeOf(err) != 141004 {
		t.Errorf("one unknown id: %v", err)
	}
	settings, err := c.ConversationSettings(t.Context())
	if err != nil || len(settings.Items) != 2 || settings.Items[1].ID != "2" || settings.Items[0].Texts["zh"].ByName["QueueingPrompt"] == "" {
		t.Errorf("%+v %v", settings, err)
	}
	robot, err := c.RobotConfig(t.Context(), "")
	if err != nil || robot.Fallback != "Sorry" || !*robot.ToAgent || *robot.ChatsAt != 0.8 {
		t.Errorf("%+v %v", robot, err)
	}
}

func TestDesk_records_oneForEachRunOfASession(t *testing.T) {
	at := &clock{time.Now().Truncate(time.Second)}
	d, _ := start(t, Options{Now: at.now})
	d.SetAgent(Agent{ID: "a@x.com", Online: true})
	d.Begin("s")
	d.Begin("s") // still with the bot: the same run
	d.SetState("s", desk.StateAgent, "a@x.com")
	d.Begin("s") // Desk ended the run before without a word
	d.CloseSession("s")
	closed := at.at
	at.at = at.at.Add(time.Minute)
	d.Expire("s")
	var got []string
	for _, r := range d.Records() {
		if !r.Ended.Equal(closed) {
			t.Errorf("ended at %s, not at %s", r.Ended, closed)
		}
		got = append(got, r.Agent+" "+r.EndStatus)
	}
	if diff := cmp.Diff([]string{"a@x.com " + endedTimeout, " " + EndedByAgent}, got); diff != "" {
		t.Error(diff)
	}
}
