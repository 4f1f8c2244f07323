package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// This is what the browser tests of the console stand on: a tab of Chromium, which fails its test on whatever a careful
// reader of its developer tools would complain of.

// tab is one of the browser's tabs, with the console in it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	office *office

	mu         sync.Mutex
	requests   []string // by method and address
	complaints []string // of the browser
	expected   []string // parts of complaints that the test provokes
}

// tab opens a tab. When the test ends, it must have asked nobody else, and the browser must have complained of nothing
// but what the test said it expects.
func (o *office) tab(ctx context.Context, languages string) *tab {
	o.t.Helper()
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext()) // with cookies and storage of its own
	o.t.Cleanup(cancel)
	p := &tab{t: o.t, ctx: ctx, office: o}
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		for _, wrong := range p.misdeeds() {
			o.t.Error(wrong)
		}
	})
	tell(p, cdplog.Enable, cdp.Empty{})
	tell(p, network.Enable, network.EnableParams{})
	tell(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Chrome", AcceptLanguage: languages})
	tell(p, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Shanghai"})
	p.size(1280, 800)
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
		if _, url, _ := strings.Cut(r, " "); !p.expectsAny(r) && !strings.HasPrefix(url, p.office.admin+"/") && url != "about:blank" && !strings.HasPrefix(url, "data:") { // the browser's own icons
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
	got := tell(p, runtime.Evaluate, runtime.EvaluateParams{Expression: js, AwaitPromise: &yes, ReturnByValue: &yes})
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
		const all = [...within.querySelectorAll('button, a[href], input, textarea, select, summary, [role=button], [role=tab], [role=option]')].filter((e) => e.checkVisibility() && !e.disabled);
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

// press sends keys, as typed: kb.Enter and the like among them.
func (p *tab) press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}
