package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

// office is the service and `escalator desk`, each a process of its own: agents come and
// go by the emulator's control pages, as somebody does who tries things out by hand.
type office struct {
	*service
	t        *testing.T
	control  string    // the emulator's address
	way      *balancer // from the emulator to the services
	settings []string
}

// newOffice starts the emulator, without agents, and the service.
func newOffice(t *testing.T, rules string, settings ...string) *office {
	t.Helper()
	o := &office{t: t, way: newBalancer(t)}
	out, prints := newOutput(t)
	cmd := exec.Command(binary, "desk", "--listen", "127.0.0.1:0", "--callback-url", o.way.server.URL+"/callback", "--agents", "", "--prompts=false", "--member-events")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"ESCALATOR_SECRET_KEY=" + testKey.Reveal(), "ESCALATOR_CALLBACK_TOKEN=" + testToken}
	cmd.Stdout, cmd.Stderr = prints, prints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = prints.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); out.rest() })
	address := regexp.MustCompile(`Desk emulator at (http://127\.0\.0\.1:\d+)`)
	eventually(t, "the emulator's start", func() bool { return address.MatchString(out.String()) })
	o.control = address.FindStringSubmatch(out.String())[1]
	o.settings = append([]string{"ESCALATOR_API_URL=" + o.control, "ESCALATOR_DESK_POLL=1s"}, settings...)
	o.service = o.another(rules)
	o.open(o.service)
	return o
}

// another starts one more service.
func (o *office) another(rules string) *service {
	o.t.Helper()
	s := &service{t: o.t, dir: o.t.TempDir()}
	s.writeRules(rules)
	s.start(o.settings...)
	return s
}

// open says which services get the callbacks.
func (o *office) open(services ...*service) { o.way.set(services) }

// restart kills the service and starts it again on its folder.
func (o *office) restart() {
	o.t.Helper()
	o.kill()
	o.start(o.settings...)
	o.open(o.service)
}

// do asks a control page.
func (o *office) do(method, path string, body, answer any) {
	o.t.Helper()
	text := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			o.t.Fatal(err)
		}
		text = string(b)
	}
	status, got := request(o.t, method, o.control+path, text)
	if status != http.StatusOK {
		o.t.Fatalf("%s %s: %d %s", method, path, status, got)
	}
	if answer != nil {
		if err := json.Unmarshal([]byte(got), answer); err != nil {
			o.t.Fatalf("%s %s: %v in %s", method, path, err, got)
		}
	}
}

// agent sets an agent of group 1.
func (o *office) agent(a desktest.Agent) {
	o.t.Helper()
	if a.Groups == nil {
		a.Groups = []int64{1}
	}
	o.do(http.MethodPut, "/agents/"+a.ID, a, nil)
}

// goes sets an agent offline.
func (o *office) goes(id string) { o.t.Helper(); o.agent(desktest.Agent{ID: id}) }

// comes sets an agent online who has room for everybody.
func (o *office) comes(id string) { o.t.Helper(); o.agent(desktest.Agent{ID: id, Online: true}) }

// begins begins a session of a customer.
func (o *office) begins(session, user string) {
	o.t.Helper()
	o.do(http.MethodPost, "/sessions", map[string]string{"session": session, "user": user}, nil)
}

// says has a customer say something, and returns the answer to the callback.
func (o *office) says(session, text string) desktest.Answer {
	o.t.Helper()
	var told struct {
		Answer desktest.Answer
		Error  string
	}
	o.do(http.MethodPost, "/sessions/"+session+"/say", map[string]string{"text": text}, &told)
	if told.Error != "" {
		o.t.Fatalf("%s says %q: %s\n%s", session, text, told.Error, o.out)
	}
	return told.Answer
}

func (o *office) ledger() (l desktest.Ledger) {
	o.t.Helper()
	o.do(http.MethodGet, "/ledger", nil, &l)
	return l
}

// hears waits until a customer was told exactly this.
func (o *office) hears(session string, want ...string) {
	o.t.Helper()
	eventually(o.t, fmt.Sprintf("%s hears %q", session, want), func() bool { return slices.Equal(saidTo(o.t, session, o.ledger()), want) })
}

// contacted are the users whom agents contacted, in order.
func (o *office) contacted() (users []string) {
	o.t.Helper()
	for _, c := range o.ledger().Contacted {
		users = append(users, c.User)
	}
	return users
}

// calls counts the calls of a command.
func (o *office) calls(command string) (n int) {
	o.t.Helper()
	for _, c := range o.ledger().Calls {
		if c.Command == command {
			n++
		}
	}
	return n
}

// fails has the emulator fail until it is told otherwise.
func (o *office) fails(f desktest.Fault) {
	o.t.Helper()
	o.do(http.MethodPost, "/faults", map[string]any{
		"command": f.Command, "kind": f.Kind, "code": f.Code, "fields": f.Fields, "probability": 1,
	}, nil)
}

func (o *office) state(session string) (at desk.State) {
	o.t.Helper()
	var all []desktest.Session
	o.do(http.MethodGet, "/sessions", nil, &all)
	for _, s := range all {
		if s.ID == session {
			at = s.State
		}
	}
	return at
}

// metric wants a line of the metrics that begins with a name and its labels.
func (o *office) metric(series, value string) {
	o.t.Helper()
	_, body := o.get("/metrics")
	if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + " " + value + "$").MatchString(body) {
		var near []string
		name, _, _ := strings.Cut(series, "{")
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, name) {
				near = append(near, line)
			}
		}
		o.t.Errorf("no metric %s %s, but %q", series, value, near)
	}
}
