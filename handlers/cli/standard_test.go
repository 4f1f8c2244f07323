package cli

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// full is a disk that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("planted: no space left") }

// A script that keeps the answer must learn that it has not got it.
func TestRun_outputThatIsNotWhole_endsWith1(t *testing.T) {
	t.Chdir("testdata")
	for _, args := range [][]string{
		{"version"}, {"help"}, {"packs"}, {"schema"}, {"check", "rules.yaml"}, {"check", "rules.yaml", "--json"}, {"explain", "x", "--rules", "rules.yaml"},
	} {
		var told strings.Builder
		code := Run(t.Context(), args, Env{Stdout: full{}, Stderr: &told, Getenv: func(string) string { return "" }, ShippedRules: []byte("version: 1\n")})
		if code != exitBad || !strings.Contains(told.String(), "planted: no space left") {
			t.Errorf("%v: exit %d, %q", args, code, told.String())
		}
	}
}

// stalled is a reader who does not read, until it is let go.
type stalled chan struct{}

func (s stalled) Write([]byte) (int, error) { <-s; return 0, io.ErrClosedPipe }

func TestServe_whoReadsErrorsHasStalled_endsAllTheSame(t *testing.T) {
	for want, vars := range map[int]map[string]string{
		exitUsage: {},
		exitBad:   {"ESCALATOR_SDKAPPID": "1", "ESCALATOR_SECRET_KEY": "k", "ESCALATOR_RULES": "testdata/rules.yaml", "ESCALATOR_DATA_DIR": t.TempDir(), "ESCALATOR_LISTEN": "127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN": "[fe80::1%none]:8081", "ESCALATOR_ADMIN_TOKEN": "t"},
	} {
		synctest.Test(t, func(t *testing.T) {
			let := make(stalled)
			defer close(let)
			code := Run(t.Context(), []string{"serve"}, Env{Stdout: io.Discard, Stderr: let, Getenv: func(name string) string { return vars[name] }})
			if code != want {
				t.Errorf("exit %d, want %d", code, want)
			}
		})
	}
}
