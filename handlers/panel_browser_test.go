package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"escalator/bot"
	"escalator/handlers"
)

// pageFor bounds what a page may take: a browser on a busy machine is slow.
const pageFor = 60 * time.Second

// browser starts Chromium, which .ci/parts installs; without it the test fails.
func browser(t *testing.T) context.Context {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatalf("this test needs Chromium (Debian's package chromium; .ci/parts installs it): %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),                              // nothing else is even looked up
		chromedp.Flag("disable-features", "IsolateOrigins,site-per-process"), chromedp.Flag("disable-site-isolation-trials", true), // a frame tells its tab
	)
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // it begins to run, for as long as the test does
		t.Fatal(err)
	}
	return ctx
}

// served is the panel on a listener of its own, and Desk's workbench on another one.
type served struct {
	panel, desk string
	bot         *named
	server      *handlers.Server
	log         *strings.Builder
}

// serveInFrame serves a page of another origin that shows the panel as Desk does.
func serveInFrame(t *testing.T, shown *bot.Panel, allowed bool) *served {
	t.Helper()
	v := &served{bot: &named{panel: shown}}
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
	v.server, v.log = withPanel(v.bot, func(o *handlers.Options) {
		o.Panel.FrameAncestors = []string{ancestor}
		// A second goes by with each request, so that none is over the limit of an address.
		o.Now = func() time.Time { return time.Now().Add(time.Duration(asked.Add(1)) * time.Second) }
	})
	s := httptest.NewServer(v.server.Public())
	t.Cleanup(s.Close)
	v.panel = s.URL + "/x/panel"
	return v
}

// page is a tab of the browser: what it asked for, and what it complained of.
type page struct {
	t   *testing.T
	ctx context.Context
	of  *served

	mu         sync.Mutex
	requests   []string
	complaints []string
	frames     chan runtime.ExecutionContextID // of documents of the panel's origin, as they come
	frame      runtime.ExecutionContextID
}

func (v *served) open(t *testing.T, ctx context.Context) *page { //nolint:revive // t is first, as in every test
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &page{t: t, ctx: ctx, of: v, frames: make(chan runtime.ExecutionContextID, 100)}
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		t.Fatal(err)
	}
	call(p, cdplog.Enable, cdp.Empty{})
	call(p, network.Enable, network.EnableParams{})
	return p
}

func (p *page) heard(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.Method+" "+e.Request.URL)
	case *cdplog.EventEntryAdded:
		p.complaints = append(p.complaints, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		p.complaints = append(p.complaints, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.complaints = append(p.complaints, "console."+string(e.Type))
	case *runtime.EventExecutionContextCreated:
		if strings.HasPrefix(p.of.panel, e.Context.Origin+"/") {
			p.frames <- e.Context.ID
		}
	}
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageFor)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// call sends a command of the browser's protocol.
func call[P, R any](p *page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageFor)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.t.Fatalf("%s: %v", command.Method, err)
	}
	return r
}

// inFrame evaluates a text in the panel, and waits where it is a promise.
func (p *page) inFrame(js string) (text string) {
	p.t.Helper()
	yes := true
	got := call(p, runtime.Evaluate, runtime.EvaluateParams{Expression: js, ContextID: p.frame, AwaitPromise: &yes, ReturnByValue: &yes})
	if got.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", js, got.ExceptionDetails.Text)
	}
	if err := json.Unmarshal(got.Result.Value, &text); err != nil {
		p.t.Fatalf("%s: %s is no text", js, got.Result.Value)
	}
	return text
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

// shows waits until the panel has some words, and returns all that it has.
func (p *page) shows(words string) string {
	p.t.Helper()
	got := p.inFrame(fmt.Sprintf(`new Promise((done) => {
		const end = Date.now() + %d, look = () => document.body.innerText.includes(%q) || Date.now() > end ? done(document.body.innerText) : setTimeout(look, 10);
		look();
	})`, (pageFor / 2).Milliseconds(), words))
	if !strings.Contains(got, words) {
		p.t.Fatalf("no %q in\n%s", words, got)
	}
	return got
}

const withToken = "token=" + panelToken

// is has the browser speak some languages, in a frame as narrow as Desk's.
func (p *page) is(languages string, dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Chrome", AcceptLanguage: languages})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	call(p, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Shanghai"})
	p.do(chromedp.EmulateViewport(360, 800))
}

// The panel in a frame of another origin, in a real browser.
func TestPanelInABrowser(t *testing.T) {
	ctx := browser(t)
	v := serveInFrame(t, aCustomer(), true)
	p := v.open(t, ctx)
	p.is("en-GB", false)
	p.visit(withToken + "&sessionId=%40session-7f3a&Call_Id=1&client-user-id=li_2931")
	got := p.shows("Why this customer is here")
	for _, want := range []string{
		"with a person", "客户要求人工服务 / asks for a person", "转人工", "ask-human", "after-sales", "Messages from the customer: 4 · Bot failures in a row: 2 · Earlier transfers: 1",
		"Words left", "明天上午打我电话 13800138000", "<i>gold</i>", "A-20260105-77", "—", "@session-7f3a", "li_2931", "<img src=x onerror=", "[image]", "Earlier messages are not shown.", "10:06",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if ids := v.bot.ids; len(ids) != 2 || ids[0] != "@session-7f3a" || ids[1] != "li_2931" {
		t.Errorf("asked for %q", ids)
	}
	if title := p.inFrame("document.title + ' ' + document.querySelectorAll('img, i, b').length"); title != "Escalator 0" {
		t.Errorf("a customer's words are markup: %s", title)
	}
	if wide := p.inFrame("String(document.documentElement.scrollWidth)"); wide != "360" {
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
		if stored := p.inFrame("localStorage.length + sessionStorage.length + document.cookie + location.hash"); heard != 0 || !strings.HasPrefix(stored, "0#"+withToken) {
			t.Errorf("%d messages to the workbench, kept: %s", heard, stored)
		}
	})
	t.Run("in the other language", func(t *testing.T) {
		p := &page{t: t, ctx: p.ctx, of: v, frame: p.frame}
		p.inFrame("document.getElementById('language').click(); ''")
		if got := p.shows("转接原因"); !strings.Contains(got, "客户消息 4 条") || strings.Contains(got, "Why") {
			t.Error(got)
		}
	})
	t.Run("for the next customer", func(t *testing.T) {
		p := &page{t: t, ctx: p.ctx, of: v, frame: p.frame}
		v.bot.panel = nil
		p.inFrame("location.hash = 'SESSION=s2'; ''")
		p.shows("s2")
	})
}

func TestPanelInABrowser_states(t *testing.T) {
	ctx := browser(t)
	v := serveInFrame(t, nil, true)
	p := v.open(t, ctx)
	p.is("zh-CN", false)
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
		v.bot.panel, v.bot.ids = c.panel, nil
		p.visit(c.hash)
		p.shows(c.shows)
		if !slices.Equal(v.bot.ids, c.asked) {
			t.Errorf("%s: asked for %q, want %q", c.hash, v.bot.ids, c.asked)
		}
	}
}

func TestPanelInABrowser_isShownOnlyWhereItMayBe(t *testing.T) {
	ctx := browser(t)
	v := serveInFrame(t, nil, false)
	p := v.open(t, ctx)
	p.do(chromedp.Navigate(v.desk + "/#" + withToken + "&sessionid=s1"))
	if len(v.bot.ids) != 0 || !slices.ContainsFunc(p.complaints, func(c string) bool { return strings.Contains(c, "frame-ancestors") }) {
		t.Errorf("asked for %q; the browser complains: %q", v.bot.ids, p.complaints)
	}
}

// With PANEL_SCREENSHOTS=docs/panel the pictures of docs/panel.md are made anew; without, that each theme and language is drawn is all.
func TestPanelInABrowser_pictures(t *testing.T) {
	ctx := browser(t)
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
		v.bot.panel = c.customer
		p := v.open(t, ctx)
		p.is(c.languages, c.dark)
		p.visit(withToken + "&sessionid=s1")
		p.shows(c.shows)
		if ground := p.inFrame("getComputedStyle(document.body).backgroundColor"); ground != c.ground {
			t.Errorf("%s: %s", c.name, ground)
		}
		folder := os.Getenv("PANEL_SCREENSHOTS")
		if folder == "" {
			continue
		}
		var height int64
		if _, err := fmt.Sscan(p.inFrame("String(document.body.scrollHeight)"), &height); err != nil {
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
