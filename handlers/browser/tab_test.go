package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium runs for as long as the tests do: each tab has cookies and storage of its own.
var chromium context.Context

// pageFor bounds what a page may take: a browser on a busy machine is slow.
const pageFor = 60 * time.Second

func TestMain(m *testing.M) { os.Exit(withChromium(m)) }

func withChromium(m *testing.M) int {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),                              // nothing else is even looked up
		chromedp.Flag("disable-features", "IsolateOrigins,site-per-process"), chromedp.Flag("disable-site-isolation-trials", true), // a frame tells its tab
	)
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, cancel := chromedp.NewContext(allocated)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "these tests need Chromium (Debian's package chromium; .ci/parts installs it):", err)
		return 1
	}
	chromium = ctx
	return m.Run()
}

// tab is one of the browser's tabs, with a page in it. It fails its test on whatever a careful reader of the developer
// tools would complain of.
type tab struct {
	t       *testing.T
	ctx     context.Context
	office  *office                    // whose console it shows
	origins []string                   // whom it may ask
	frame   runtime.ExecutionContextID // where JavaScript is evaluated; 0: in the page itself

	mu         sync.Mutex
	requests   []string // by method and address
	complaints []string // of the browser
	expected   []string // parts of complaints that the test provokes
}

// openTab opens a tab. When the test ends, it must have asked nobody else, and the browser must have complained of nothing
// but what the test said it expects.
func openTab(t *testing.T, languages string, origins ...string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx, origins: origins}
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, wrong := range p.misdeeds() {
			t.Error(wrong)
		}
	})
	tell(p, cdplog.Enable, cdp.Empty{})
	tell(p, network.Enable, network.EnableParams{})
	tell(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Chrome", AcceptLanguage: languages})
	tell(p, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Shanghai"})
	p.size(1280, 800)
	return p
}

// tab opens a tab for the console.
func (o *office) tab(languages string) *tab {
	o.t.Helper()
	p := openTab(o.t, languages, o.admin)
	p.office = o
	return p
}

func (p *tab) heard(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.Method+" "+e.Request.URL)
	case *cdplog.EventEntryAdded:
		p.complaints = append(p.complaints, e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		p.complaints = append(p.complaints, text)
	case *runtime.EventConsoleAPICalled:
		text := "console." + string(e.Type)
		for _, a := range e.Args {
			text += " " + string(a.Value) + a.Description
		}
		p.complaints = append(p.complaints, text)
	}
}

// expects says what the browser will complain of, such as "status of 412".
func (p *tab) expects(parts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, parts...)
}

// misdeeds are what the tab asked of others, and what the browser complains of.
func (p *tab) misdeeds() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if _, url, _ := strings.Cut(r, " "); !p.expectsAny(r) && url != "about:blank" && !strings.HasPrefix(url, "data:") && // the browser's own icons
			!slices.ContainsFunc(p.origins, func(origin string) bool { return strings.HasPrefix(url, origin+"/") }) {
			all = append(all, "asked somebody else: "+r)
		}
	}
	for _, c := range p.complaints {
		if !p.expectsAny(c) {
			all = append(all, "the browser complains: "+c)
		}
	}
	return all
}

// expectsAny is called with the mutex held.
func (p *tab) expectsAny(what string) bool {
	return slices.ContainsFunc(p.expected, func(part string) bool { return strings.Contains(what, part) })
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageFor)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// tell sends a command of the browser's protocol.
func tell[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageFor)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.t.Fatalf("%s: %v", command.Method, err)
	}
	return r
}

func (p *tab) size(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}

// dark has the browser prefer dark pages, or light ones.
func (p *tab) dark(dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	tell(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// eval evaluates JavaScript, waits where it is a promise, and returns its text.
func (p *tab) eval(js string) (text string) {
	p.t.Helper()
	yes := true
	got := tell(p, runtime.Evaluate, runtime.EvaluateParams{Expression: js, ContextID: p.frame, AwaitPromise: &yes, ReturnByValue: &yes})
	if got.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s %s", js, got.ExceptionDetails.Text, got.ExceptionDetails.Exception.Description)
	}
	if err := json.Unmarshal(got.Result.Value, &text); err != nil {
		p.t.Fatalf("%s: %s is no text", js, got.Result.Value)
	}
	return text
}

// until waits until an expression of JavaScript is true. A busy machine takes its time, so the limit is generous.
func (p *tab) until(what, js string) {
	p.t.Helper()
	got := p.eval(fmt.Sprintf(`new Promise((done) => {
		const end = Date.now() + %d;
		const look = () => { if (%s) done(''); else if (Date.now() > end) done(location.pathname + '\n' + document.body.innerText); else setTimeout(look, 20); };
		look();
	})`, (pageFor / 2).Milliseconds(), js))
	if got != "" {
		p.t.Fatalf("%s: not so at %s", what, got)
	}
}

// later has a minute go by for the page, which reads again what it reads now and then.
func (p *tab) later() {
	p.t.Helper()
	p.eval(`(() => {
		const now = performance.now.bind(performance);
		performance.now = () => now() + 60_000;
		document.dispatchEvent(new Event('visibilitychange'));
		return '';
	})()`)
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always has a JSON form
	return string(b)
}

// open shows a view by its address.
func (p *tab) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.office.admin + path))
}

// shows waits until the page has all of some words.
func (p *tab) shows(words ...string) {
	p.t.Helper()
	for _, w := range words {
		p.until("the page shows "+w, "document.body.innerText.includes("+quoted(w)+")")
	}
}

// controlNamed is JavaScript that finds what a person would click or type into by its name: the first visible control, in the open dialog if there is one.
func controlNamed(name string) string {
	return fmt.Sprintf(`(() => {
		const within = [...document.querySelectorAll('dialog[open]')].pop() || document;
		const nameOf = (e) => (e.getAttribute('aria-label') || (e.labels && e.labels[0] && e.labels[0].innerText) || e.innerText || e.title || e.placeholder || '').trim();
		const all = [...within.querySelectorAll('button, a[href], input, textarea, select, summary, [role=button], [role=tab], [role=option]')].filter((e) => e.checkVisibility() && !e.disabled && !e.ariaBusy);
		return all.find((e) => nameOf(e) === %[1]s) || all.find((e) => nameOf(e).startsWith(%[1]s));
	})()`, quoted(name))
}

// click waits for a control of that name and clicks it, unless something lies over it.
func (p *tab) click(name string) {
	p.t.Helper()
	find := controlNamed(name)
	p.until("there is a control "+name, find)
	if over := p.eval(`(() => {
		const e = ` + find + `;
		e.scrollIntoView({block: 'center'});
		const r = e.getBoundingClientRect(), top = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
		if (!top || !(e.contains(top) || top.contains(e))) return top ? top.outerHTML.slice(0, 200) : 'outside of the page';
		e.focus();
		e.click();
		return '';
	})()`); over != "" {
		p.t.Errorf("%s cannot be clicked: over it lies %s", name, over)
	}
}

// enter puts text into a field by its name, in the place of what it has, with the keyboard.
func (p *tab) enter(name, text string) {
	p.t.Helper()
	find := controlNamed(name)
	p.until("there is a field "+name, find)
	p.eval(`(() => { const e = ` + find + `; e.focus(); if (e.select) e.select(); return ''; })()`)
	p.press(text)
}

// confirm says who does it and why, and presses the button of the dialog.
func (p *tab) confirm(button, why string) {
	p.t.Helper()
	p.enter("Your name", "li")
	p.enter("Reason", why)
	p.click(button)
}

// press sends keys, as typed: kb.Enter and the like among them.
func (p *tab) press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}
