package browser_test

import (
	"compress/gzip"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// looksRight has axe-core judge the page as it is, and measures that nothing has to be scrolled sideways.
func (p *tab) looksRight(what string) {
	p.t.Helper()
	for _, wrong := range p.flaws() {
		p.t.Errorf("%s: %s", what, wrong)
	}
}

func (p *tab) flaws() (all []string) {
	p.t.Helper()
	if p.eval("typeof window.axe") == "undefined" {
		p.eval(axe(p.t) + "; ''")
	}
	if found := p.eval(`axe.run(document, {
		resultTypes: ['violations'], rules: Object.fromEntries(axe._audit.rules.filter((r) => r.impact === 'minor' || r.impact === 'moderate').map((r) => [r.id, {enabled: false}])),
	}).then((r) => r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
		.map((v) => v.id + ': ' + v.help + v.nodes.slice(0, 4).map((n) => '\n    ' + n.target + '  ' + (n.any[0] || n.all[0] || n.none[0] || {}).message).join('')).join('\n'))`); found != "" {
		all = append(all, "axe-core finds "+found)
	}
	if wide := p.sideways(); wide != "" {
		all = append(all, wide)
	}
	return all
}

// sideways says what has to be scrolled sideways, "" where nothing has.
func (p *tab) sideways() string {
	p.t.Helper()
	return p.eval(`(() => {
		const w = document.documentElement.clientWidth, all = document.documentElement.scrollWidth;
		return all <= w ? '' : 'it scrolls sideways: ' + all + ' px in ' + w + ': ' + [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > w + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 90)).join('\n');
	})()`)
}

var axeSource = sync.OnceValues(func() (string, error) {
	f, err := os.Open("testdata/axe.min.js.gz")
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(unzipped)
	return string(content), err
})

func axe(t *testing.T) string {
	t.Helper()
	source, err := axeSource()
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// What these tests stand on must see what is wrong.
func TestConsoleInABrowser_theHarnessSees(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.open("/console/")
	p.eval(`(() => {
		console.error('planted');
		document.body.innerHTML += '<p style="color: red">x</p><img src="/console/nothing.png"><div id="wide">x</div>';
		document.getElementById('wide').style.width = '5000px';
		return '';
	})()`)
	flaws, look := strings.Join(p.flaws(), "\n"), time.NewTicker(20*time.Millisecond)
	defer look.Stop()
	seen := flaws
	p.eval("location.assign('http://localhost:1/elsewhere'); ''")
	for _, want := range []string{"image-alt", "sideways: 5", "console.error", "Content Security Policy", "somebody else: GET http://localhost:1/elsewhere"} {
		for late := time.Now().Add(pageFor); !strings.Contains(seen, want) && time.Now().Before(late); <-look.C { // the browser tells a moment later
			seen = flaws + strings.Join(p.misdeeds(), "\n")
		}
		if !strings.Contains(seen, want) {
			t.Errorf("no %q in\n%s", want, seen)
		}
	}
	p.expects("")
}
