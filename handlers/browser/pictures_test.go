package browser_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

var update = flag.Bool("update", false, "make the pictures of docs/console anew")

// maxPicture is what one picture of the docs may take, in bytes.
const maxPicture = 150_000

// busy lets customers and the bot talk, so that each view has something to show.
func (o *office) busy() {
	o.t.Helper()
	const lost = "抱歉，我还没有学会这个问题"
	o.says("s-parcel", "Where is my parcel?", "where is my parcel", "so where IS my parcel??")
	o.says("s-human", "hello", "I'd like to talk to a real perosn please")
	o.says("s-later", "先别转人工，我再看看")
	o.says("s-address", "怎么改地址")
	for _, words := range []string{"修改收货地址", "地址写错了", "还是不行"} {
		o.desk.BotSays("s-address", lost, "fallback")
		o.says("s-address", words)
	}
	o.says("s-ai", "人工智能是什么")
	o.until("the first transfers have arrived, or the faults would be theirs", func() bool {
		return !slices.ContainsFunc([]string{"s-human", "s-address"}, func(id string) bool { return o.desk.Session(id).State != desk.StateAgent })
	})
	if err := o.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 90001, Times: 2}); err != nil {
		o.t.Fatal(err)
	}
	o.says("s-refused", "转人工")
	o.says("s-refused-too", "我要人工客服")
}

// TestConsoleInABrowser_pictures draws each view as the docs show it; with -update these are made anew.
func TestConsoleInABrowser_pictures(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	for _, c := range []struct {
		name, path, languages, shows string
		dark                         bool
		width, height                int64
	}{
		{"live", "/console/", "en", "assigned", false, 1280, 800},
		{"live-phone-zh-dark", "/console/", "zh-CN", "已分配", true, 390, 844},
		{"conversation", "/console/c/s-address", "en", "bot-stuck matched", false, 1280, 720},
		{"try-zh-dark", "/console/try?session=s-parcel", "zh-CN", "接近命中", true, 1280, 800},
		{"rules", "/console/rules", "en", "said-yes", false, 1280, 800},
		{"rules-phone-dark", "/console/rules", "en", "said-yes", true, 390, 844},
		{"rule", "/console/rules/ask-human", "en", "Near misses", false, 1280, 800},
		{"file", "/console/file", "en", "tests pass", false, 1280, 800},
		{"history", "/console/history", "en", "at a start", false, 1280, 480},
		{"delivery-zh-dark", "/console/delivery", "zh-CN", "已放弃", true, 1280, 640},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := *o
			o.t = t
			p := o.tab(c.languages)
			p.signIn()
			p.dark(c.dark)
			p.size(c.width, c.height)
			p.open(c.path)
			p.shows(c.shows)
			p.picture(c.name)
		})
	}
}

// signIn gives the tab the operators' cookie, as the sign-in view does.
func (p *tab) signIn() {
	p.t.Helper()
	p.expects("/favicon.ico") // of a page that is none
	p.open("/healthz")
	if got := p.eval(`fetch('/api/session', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({token: ` + quoted(adminToken) + `})}).then((r) => String(r.status))`); got != "200" {
		p.t.Fatalf("signing in: %s", got)
	}
}

func (p *tab) picture(name string) {
	p.t.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if len(png) > maxPicture {
		p.t.Errorf("%s takes %d bytes", name, len(png))
	}
	if *update {
		if err := os.WriteFile(filepath.Join("..", "..", "docs", "console", name+".png"), png, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}
