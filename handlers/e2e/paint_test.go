package e2e_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserTab is a tab of Chromium, which asks nobody but loopback.
type browserTab struct {
	t   *testing.T
	ctx context.Context
}

func openTab(t *testing.T) *browserTab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("lang", "en"))
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatalf("this test needs Chromium: %v", err)
	}
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)); err != nil {
		t.Fatal(err)
	}
	return &browserTab{t, ctx}
}

// read opens an address and reads a JSON text from it, once an expression of JavaScript gives one that is not empty.
func (b *browserTab) read(url, js string, into any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatal(err)
	}
	yes := true
	got, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{AwaitPromise: &yes, ReturnByValue: &yes, Expression: `new Promise((done) => {
		const end = Date.now() + 30000, look = () => { const got = (() => { ` + js + ` })(); if (got) done(JSON.stringify(got)); else if (Date.now() > end) done(document.body.innerText); else setTimeout(look, 20); };
		look();
	})`})
	if err != nil || got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %v %+v", url, err, got.ExceptionDetails)
	}
	var text string
	if err := json.Unmarshal(got.Result.Value, &text); err != nil || json.Unmarshal([]byte(text), into) != nil {
		b.t.Fatalf("%s shows\n%s", url, text)
	}
}

// The first paint with as many decisions kept as ever are. The figure is printed; what is asserted bears a busy machine.
func TestConsole_firstPaintWithAFullList(t *testing.T) {
	s := startService(t, "ESCALATOR_LOG_LEVEL=info")
	c := &sender{s: s}
	c.hold(0, 10_000, func(session string, _ int) { c.user(session, "先别转人工") })
	var list struct{ Kept int }
	if readAnswer(t, s, "/api/decisions?n=1", &list); list.Kept != 10_000 {
		t.Fatalf("%d decisions are kept", list.Kept)
	}
	tab := openTab(t)
	var took []float64
	for range 9 {
		var ms float64
		tab.read(s.admin+"/console/", `const e = performance.getEntriesByName('first-contentful-paint')[0]; return e && document.querySelector('.decisions [role=listitem]') ? e.startTime : null;`, &ms)
		took = append(took, ms)
	}
	slices.Sort(took)
	t.Logf("first contentful paint of /console/ with 10,000 decisions: median %.0f ms, all %.0f", took[4], took)
	if took[4] > 2000 {
		t.Errorf("it takes %.0f ms", took[4])
	}
}
