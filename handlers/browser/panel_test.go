package browser_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/prometheus/client_golang/prometheus"

	"escalator/bot"
	"escalator/bot/logtest"
	"escalator/handlers"
	"escalator/handlers/app"
)

const (
	panelToken = "token-of-the-panel"
	withToken  = "token=" + panelToken
)

// customers know one of them, and remember whom they were asked about.
type customers struct {
	panel *bot.Panel
	ids   []string
}

func (k *customers) Panel(_ context.Context, session, user string) *bot.Panel {
	k.ids = append(k.ids, session, user)
	if k.panel == nil {
		return &bot.Panel{Known: true, Session: session, User: user, Phase: "human"}
	}
	return k.panel
}

// served is the panel on a listener of its own, and Desk's workbench on another one.
type served struct {
	panel, desk string
	customers
	log logtest.Buffer
}

// serveInFrame serves a page of another origin that shows the panel as Desk does.
func serveInFrame(t *testing.T, shown *bot.Panel, allowed bool) *served {
	t.Helper()
	v := &served{customers: customers{panel: shown}}
	workbench := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><style>body,iframe{margin:0;border:0;width:100vw;height:100vh;display:block}</style>
			<script>var heard = []; addEventListener('message', (e) => heard.push(e.data));</script><iframe id="panel"></iframe>
			<script>document.getElementById('panel').src = %q + location.hash;</script>`, v.panel)
	}))
	t.Cleanup(workbench.Close)
	_, port, _ := net.SplitHostPort(workbench.Listener.Addr().String())
	v.desk = "http://localhost:" + port // another site than 127.0.0.1
	ancestor := v.desk
	if !allowed {
		ancestor = "https://desk.example.com"
	}
	var asked atomic.Int64
	log, err := app.NewLog(&v.log, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	v.panel = serve(t, handlers.New(handlers.Options{
		SDKAppID: 1, CallbackPath: "/callback", Log: log.Logger, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
		Panel: &handlers.PanelOptions{Path: "/x/panel", Token: panelToken, FrameAncestors: []string{ancestor}, Customers: v},
		// A second goes by with each request, so that none is over the limit of an address.
		Now: func() time.Time { return time.Now().Add(time.Duration(asked.Add(1)) * time.Second) },
	})) + "/x/panel"
	return v
}

// serve runs a server as long as the test does, and returns the address of its public listener.
func serve(t *testing.T, s *handlers.Server) string {
	t.Helper()
	var l [2]net.Listener
	for i := range l {
		var err error
		if l[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error)
	go func() { ended <- s.Serve(l[0], l[1]) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Shutdown(context.WithoutCancel(t.Context())), <-ended); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l[0].Addr().String()
}

// page is a tab with the workbench, as narrow as Desk's own.
type page struct {
	*tab
	of     *served
	frames chan runtime.ExecutionContextID // of documents of the panel's origin, as they come
}

func (v *served) open(t *testing.T, languages string, dark bool) *page {
	t.Helper()
	p := &page{tab: openTab(t, languages, strings.TrimSuffix(v.panel, "/x/panel"), v.desk), of: v, frames: make(chan runtime.ExecutionContextID, 100)}
	err := chromedp.Listen(p.ctx, func(event any) {
		if e, ok := event.(*runtime.EventExecutionContextCreated); ok && strings.HasPrefix(v.panel, e.Context.Origin+"/") {
			p.frames <- e.Context.ID
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.dark(dark)
	p.size(360, 800)
	return p
}

// visit shows the panel in its frame, as Desk does with this hash.
func (p *page) visit(hash string) {
	p.t.Helper()
	p.do(chromedp.Navigate("about:blank"))
	for len(p.frames) > 0 {
		<-p.frames // of a document that is gone: its number may be another one's by now
	}
	p.do(chromedp.Navigate(p.of.desk + "/#" + hash))
	select {
	case p.frame = <-p.frames:
	case <-time.After(pageFor):
		p.t.Fatal("the panel is not loaded")
	}
	for len(p.frames) > 0 {
		p.frame = <-p.frames
	}
}

// reads waits until the panel has some words, and returns all that it has.
func (p *page) reads(words string) string {
	p.t.Helper()
	p.shows(words)
	return p.eval("document.body.innerText")
}

// The panel in a frame of another origin, in a real browser.
func TestPanelInABrowser(t *testing.T) {
	v := serveInFrame(t, aCustomer(), true)
	p := v.open(t, "en-GB", false)
	p.visit(withToken + "&sessionId=%40session-7f3a&Call_Id=1&client-user-id=li_2931")
	got := p.reads("Why this customer is here")
	for _, want := range []string{
		"with a person", "客户要求人工服务 / asks for a person", "转人工", "ask-human", "after-sales", "Messages from the customer: 4 · Bot failures in a row: 2 · Earlier transfers: 1",
		"Words left", "明天上午打我电话 13800138000", "<i>gold</i>", "A-20260105-77", "—", "@session-7f3a", "li_2931", "<img src=x onerror=", "[image]", "Earlier messages are not shown.", "10:06",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if ids := v.ids; len(ids) != 2 || ids[0] != "@session-7f3a" || ids[1] != "li_2931" {
		t.Errorf("asked for %q", ids)
	}
	if title := p.eval("document.title + ' ' + document.querySelectorAll('img, i, b').length"); title != "Escalator 0" {
		t.Errorf("a customer's words are markup: %s", title)
	}
	if wide := p.eval("String(document.documentElement.scrollWidth)"); wide != "360" {
		t.Errorf("it is %s wide in 360", wide)
	}
	if log := v.log.String(); !strings.Contains(log, `"names":["Call_Id"]`) {
		t.Errorf("log: %s", log)
	}
	t.Run("it keeps to itself", func(t *testing.T) {
		context := 0
		for _, r := range p.requests {
			_, url, _ := strings.Cut(r, " ")
			if !strings.HasPrefix(url, v.panel) && !strings.HasPrefix(url, v.desk) && url != "about:blank" || strings.Contains(url, "?") {
				t.Errorf("asked for %s", r)
			}
			if r == "POST "+v.panel+"/context" {
				context++
			}
		}
		if context != 1 || len(p.complaints) != 0 {
			t.Errorf("%d requests for what is known; the browser complains: %q", context, p.complaints)
		}
		heard, err := chromedp.Run(p.ctx, chromedp.Evaluate[int]("heard.length"))
		if err != nil {
			t.Fatal(err)
		}
		if stored := p.eval("localStorage.length + sessionStorage.length + document.cookie + location.hash"); heard != 0 || !strings.HasPrefix(stored, "0#"+withToken) {
			t.Errorf("%d messages to the workbench, kept: %s", heard, stored)
		}
	})
	t.Run("in the other language", func(t *testing.T) {
		p.eval("document.getElementById('language').click(); ''")
		if got := p.reads("转接原因"); !strings.Contains(got, "客户消息 4 条") || strings.Contains(got, "Why") {
			t.Error(got)
		}
	})
	t.Run("for the next customer", func(t *testing.T) {
		v.customers.panel = nil
		p.eval("location.hash = 'SESSION=s2'; ''")
		p.shows("s2")
	})
}

func TestPanelInABrowser_states(t *testing.T) {
	v := serveInFrame(t, nil, true)
	p := v.open(t, "zh-CN", false)
	p.expects("status of 404") // to a wrong token
	for _, c := range []struct {
		hash, shows string
		panel       *bot.Panel
		asked       []string
	}{
		{"", "尚未配置", nil, nil},
		{"sessionid=s1", "尚未配置", nil, nil},
		{withToken, "未选择客户", nil, nil},
		{withToken + "&sessionid=&other=s1", "未选择客户", &bot.Panel{}, []string{"", ""}},
		{withToken + "x&sessionid=s1", "没有权限", nil, nil},
		{withToken + "&sessionid=s1", "暂无信息", &bot.Panel{}, []string{"s1", ""}},
		{withToken + "&user=li", "暂时无法读取之前的对话", &bot.Panel{Missing: []string{"history"}}, []string{"", "li"}},
		{withToken + "&sessionid=s1", "不是由 Escalator 的规则转来的", &bot.Panel{Known: true, Session: "s1", Phase: "queued"}, []string{"s1", ""}},
		{withToken + "?USER_ID=a%2Bb%20%E4%BC%9A#Session-Id=x%", "x%", nil, []string{"x%", "a+b 会"}},
		{"/?" + withToken + "&session=second&session_id=first", "first", nil, []string{"first", ""}},
	} {
		v.customers.panel, v.ids = c.panel, nil
		p.visit(c.hash)
		p.shows(c.shows)
		if !slices.Equal(v.ids, c.asked) {
			t.Errorf("%s: asked for %q, want %q", c.hash, v.ids, c.asked)
		}
	}
}

func TestPanelInABrowser_isShownOnlyWhereItMayBe(t *testing.T) {
	v := serveInFrame(t, nil, false)
	p := v.open(t, "en", false)
	p.expects("frame-ancestors")
	p.do(chromedp.Navigate(v.desk + "/#" + withToken + "&sessionid=s1"))
	if len(v.ids) != 0 || !slices.ContainsFunc(p.complaints, func(c string) bool { return strings.Contains(c, "frame-ancestors") }) {
		t.Errorf("asked for %q; the browser complains: %q", v.ids, p.complaints)
	}
}

// With PANEL_SCREENSHOTS=docs/panel the pictures of docs/panel.md are made anew; without, that each theme and language is drawn is all.
func TestPanelInABrowser_pictures(t *testing.T) {
	v := serveInFrame(t, aCustomer(), true)
	for _, c := range []struct {
		name, languages, shows string
		customer               *bot.Panel
		dark                   bool
		ground                 string
	}{
		{"zh-light", "zh-CN,zh", "转接原因", inChinese(), false, "rgb(245, 246, 248)"},
		{"zh-dark", "zh-TW", "转接原因", inChinese(), true, "rgb(20, 23, 28)"},
		{"en-light", "en-US", "Why this customer", inEnglish(), false, "rgb(245, 246, 248)"},
		{"en-dark", "fr", "Why this customer", inEnglish(), true, "rgb(20, 23, 28)"},
	} {
		v.customers.panel = c.customer
		p := v.open(t, c.languages, c.dark)
		p.visit(withToken + "&sessionid=s1")
		p.shows(c.shows)
		if ground := p.eval("getComputedStyle(document.body).backgroundColor"); ground != c.ground {
			t.Errorf("%s: %s", c.name, ground)
		}
		folder := os.Getenv("PANEL_SCREENSHOTS")
		if folder == "" {
			continue
		}
		var height int64
		if _, err := fmt.Sscan(p.eval("String(document.body.scrollHeight)"), &height); err != nil {
			t.Fatal(err)
		}
		p.do(chromedp.EmulateViewport(360, height))
		png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("..", folder, c.name+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
