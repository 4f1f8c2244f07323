package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/handlers/app"
)

// plantedSecret must show up in no message.
const plantedSecret = "planted-5bd2850fff3ecb11"

// settingsOf loads settings from flags and NAME=VALUE pairs without prefix, on
// top of those that are required.
func settingsOf(args []string, env ...string) (*app.Settings, []string) {
	var environ []string
	vars := map[string]string{"ESCALATOR_SDKAPPID": "1400000001", "ESCALATOR_SECRET_KEY": plantedSecret}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		name = (&setting{env: name}).name()
		vars[name] = value
		environ = append(environ, name+"="+value)
	}
	s, err := loadSettings(args, Env{Getenv: func(name string) string { return vars[name] }, Environ: environ, Stdout: io.Discard})
	if usage, ok := errors.AsType[*usageError](err); ok {
		return s, strings.Split(usage.Error(), "\n")
	}
	if err != nil {
		return s, []string{err.Error()}
	}
	return s, nil
}

func TestLoadSettings_aFlagBeatsTheEnvironment_andThatTheDefault(t *testing.T) {
	for _, c := range []struct {
		args []string
		env  string
		want string
	}{
		{nil, "X=", ":8080"},
		{nil, "LISTEN=:9000", ":9000"},
		{[]string{"--listen", ":9001"}, "X=", ":9001"},
		{[]string{"--listen=:9001"}, "LISTEN=:9000", ":9001"},
	} {
		s, problems := settingsOf(c.args, c.env)
		if problems != nil || s.Listen != c.want {
			t.Errorf("%v %s: %v %v", c.args, c.env, s, problems)
		}
	}
	s, problems := settingsOf(nil)
	if problems != nil || s.SDKAppID != 1400000001 || s.DedupFor != 10*time.Minute || s.AdminListen != "127.0.0.1:8081" {
		t.Errorf("%+v %v", s, problems)
	}
}

// `--admin-listen "$UNSET"` must not open the operators' listener to everybody,
// nor may a transfer be given up after no time at all.
func TestLoadSettings_anEmptyFlagOrVariable_isTheDefault(t *testing.T) {
	want, problems := settingsOf(nil)
	if problems != nil {
		t.Fatal(problems)
	}
	for i := range settingsTable {
		row := &settingsTable[i]
		if row.require {
			continue
		}
		got, problems := settingsOf(nil, row.env+"=")
		if diff := cmp.Diff(want, got); diff != "" || problems != nil {
			t.Errorf("%s is empty: %v %s", row.name(), problems, diff)
		}
		if row.secret {
			continue
		}
		if got, problems = settingsOf([]string{"--" + row.flag(), ""}); problems != nil || cmp.Diff(want, got) != "" {
			t.Errorf("--%s is empty: %v %s", row.flag(), problems, cmp.Diff(want, got))
		}
	}
	if _, problems := settingsOf([]string{"--sdkappid", ""}); len(problems) != 1 || !strings.Contains(problems[0], "ESCALATOR_SDKAPPID is not set") {
		t.Errorf("an empty SDKAppID: %v", problems)
	}
}

func TestLoadSettings_aSecret_comesFromTheEnvironmentOrAFile(t *testing.T) {
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "key"), filepath.Join(dir, "empty")
	for name, text := range map[string]string{file: plantedSecret + "-of-file\n", empty: "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, problems := settingsOf(nil, "SECRET_KEY=", "SECRET_KEY_FILE="+file, "CALLBACK_TOKEN=new , old")
	if problems != nil || s.SecretKey.Reveal() != plantedSecret+"-of-file" {
		t.Errorf("from a file: %v", problems)
	}
	if len(s.CallbackTokens) != 2 || s.CallbackTokens[0].Reveal() != "new" || s.CallbackTokens[1].Reveal() != "old" {
		t.Errorf("%d tokens", len(s.CallbackTokens))
	}
	for want, env := range map[string][]string{
		"ESCALATOR_SECRET_KEY and ESCALATOR_SECRET_KEY_FILE are both set: leave one out": {"SECRET_KEY_FILE=" + file},
		"ESCALATOR_SECRET_KEY_FILE: " + empty + " is empty":                              {"SECRET_KEY=", "SECRET_KEY_FILE=" + empty},
		"ESCALATOR_ADMIN_TOKEN_FILE: open ":                                              {"ADMIN_TOKEN_FILE=" + filepath.Join(dir, "gone")},
	} {
		if _, problems := settingsOf(nil, env...); len(problems) != 1 || !strings.HasPrefix(problems[0], want) {
			t.Errorf("%v: %v", env, problems)
		}
	}
}

// What a flag says stands in the list of processes.
func TestLoadSettings_whatMayHoldASecret_isNoFlag(t *testing.T) {
	for _, name := range []string{"secret-key", "callback-token", "admin-token", "redis-url", "forward-url"} {
		for _, args := range [][]string{{"--" + name, plantedSecret}, {"--" + name + "=" + plantedSecret}, {"-" + name, plantedSecret}} {
			_, problems := settingsOf(args)
			want := "ESCALATOR_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			if len(problems) != 1 || !strings.Contains(problems[0], want) || strings.Contains(problems[0], plantedSecret) {
				t.Errorf("%s: %q, want one that names %s", args[0], problems, want)
			}
		}
	}
	_, problems := settingsOf([]string{"ESCALATOR_SECRET_KEY=" + plantedSecret})
	if len(problems) != 1 || strings.Contains(problems[0], plantedSecret) {
		t.Errorf("a setting as an argument: %q", problems)
	}
}

// A key that was copied with something around it is told of at once: with it
// every signature would be another one.
func TestLoadSettings_aSecretThatWasCopiedBadly_isCleanedOrRefused(t *testing.T) {
	const key = plantedSecret
	for _, c := range []struct{ what, value, want string }{
		{"quotes", `"` + key + `"`, "quotes"},
		{"single quotes", `'` + key + `'`, "quotes"},
		{"typographic quotes", "“" + key + "”", "quotes"},
		{"a quote within", key + `"x`, "quotes"},
		{"a blank before", " " + key, "white space"},
		{"a blank behind", key + " ", "white space"},
		{"a tab within", key + "\tx", "white space"},
		{"a line feed", key + "\n", "white space"},
		{"a line end of Windows", key + "\r\n", "white space"},
		{"a no-break space", key + "\u00a0", "white space"},
		{"a full-width space", key + "\u3000", "white space"},
		{"a byte order mark", "\ufeff" + key, "invisible"},
		{"a zero-width space", key + "\u200b", "invisible"},
		{"a control character", key + "\x01", "invisible"},
		{"nothing but blanks", "  ", "blank"},
	} {
		for _, name := range []string{"SECRET_KEY", "CALLBACK_TOKEN", "ADMIN_TOKEN", "REDIS_URL", "FORWARD_URL"} {
			value := c.value
			if strings.HasSuffix(name, "_URL") {
				value = strings.ReplaceAll(value, key, "redis://:"+key+"@127.0.0.1")
			}
			_, problems := settingsOf(nil, name+"="+value)
			if len(problems) != 1 || !strings.HasPrefix(problems[0], "ESCALATOR_"+name) || !strings.Contains(problems[0], c.want) {
				t.Errorf("%s in %s: %q, want one with %q", c.what, name, problems, c.want)
			}
			if strings.Contains(strings.Join(problems, ""), "planted") {
				t.Errorf("%s in %s is shown: %q", c.what, name, problems)
			}
		}
	}
}

func TestLoadSettings_aSecretFile_mayHaveAMarkAndALineEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	for text, want := range map[string]string{
		plantedSecret:                    "",
		plantedSecret + "\n":             "",
		plantedSecret + "\r\n":           "",
		"\ufeff" + plantedSecret + "\n":  "",
		plantedSecret + "\n\n":           "white space",
		" " + plantedSecret:              "white space",
		plantedSecret + " \n":            "white space",
		`"` + plantedSecret + `"` + "\n": "quotes",
		"\n":                             "is empty",
		"\ufeff":                         "is empty",
		"  \n":                           "blank",
		"key = " + plantedSecret:         "white space",
		plantedSecret + strings.Repeat("x", 1<<20): "is larger than",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, problems := settingsOf(nil, "SECRET_KEY=", "SECRET_KEY_FILE="+file)
		switch {
		case want == "" && (problems != nil || s.SecretKey.Reveal() != plantedSecret):
			t.Errorf("%.40q: %v", text, problems)
		case want != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0], "ESCALATOR_SECRET_KEY_FILE") || !strings.Contains(problems[0], want)):
			t.Errorf("%.40q: %v, want one with %q", text, problems, want)
		case strings.Contains(strings.Join(problems, ""), plantedSecret):
			t.Errorf("%.40q is shown: %v", text, problems)
		}
	}
}

func TestLoadSettings_eachWrongValue_isOneClearLine(t *testing.T) {
	for _, c := range []struct{ env, want string }{
		{"SDKAPPID=abc", `ESCALATOR_SDKAPPID: "abc" is not an SDKAppID`},
		{"SDKAPPID=0", "ESCALATOR_SDKAPPID: "},
		{"SDKAPPID=", "ESCALATOR_SDKAPPID is not set: "},
		{"SECRET_KEY=", "ESCALATOR_SECRET_KEY is not set: "},
		{"API_URL=ftp://x", "ESCALATOR_API_URL: "},
		{"API_URL=http://example.com", "ESCALATOR_API_URL: plain http would show the signature"},
		{"API_URL=https://user:" + plantedSecret + "@example.com", "ESCALATOR_API_URL: only scheme, host and port belong here"},
		{"API_BACKUP_URL=https://example.com?x=" + plantedSecret, "ESCALATOR_API_BACKUP_URL: only scheme, host and port"},
		{"CALLBACK_TOKEN=" + plantedSecret + ",", "ESCALATOR_CALLBACK_TOKEN: a place before or after a comma is empty"},
		{"CALLBACK_TOKEN=a，" + plantedSecret, "ESCALATOR_CALLBACK_TOKEN: it holds “，”: separate values by a plain comma"},
		{"CALLBACK_TOKEN=a、" + plantedSecret, "ESCALATOR_CALLBACK_TOKEN: it holds “、”"},
		{"SERVICE_ACCOUNTS=a；b", "ESCALATOR_SERVICE_ACCOUNTS: it holds “；”"},
		{"ADMIN_HOSTS=a，b", "ESCALATOR_ADMIN_HOSTS: it holds “，”"},
		{"CALLBACK_TOKN=" + plantedSecret, "ESCALATOR_CALLBACK_TOKN is not a setting: did you mean ESCALATOR_CALLBACK_TOKEN?"},
		{"RULE_START=refuse", "ESCALATOR_RULE_START is not a setting: did you mean ESCALATOR_RULES_START?"},
		{"LISTEN=127.0.0.1:99999", `ESCALATOR_LISTEN: "127.0.0.1:99999" is not an address like`},
		{"LISTEN=unix:/x", `ESCALATOR_LISTEN: "unix:/x" is not an address like`},
		{"LISTEN=:-1", `ESCALATOR_LISTEN: ":-1" is not an address like`},
		{"ADMIN_LISTEN=127.0.0.256:8081", `ESCALATOR_ADMIN_LISTEN: "127.0.0.256:8081" is not an address like`},
		{"CALLBACK_TOKEN=a,b," + plantedSecret, "ESCALATOR_CALLBACK_TOKEN: at most two tokens"},
		{"CALLBACK_SKEW=soon", `ESCALATOR_CALLBACK_SKEW: "soon" is not a duration`},
		{"CALLBACK_SKEW=1ms", "ESCALATOR_CALLBACK_SKEW: 1ms is below the minimum, 1s"},
		{"DRAIN_DELAY=-1s", "ESCALATOR_DRAIN_DELAY: "},
		{"LISTEN=8080", `ESCALATOR_LISTEN: "8080" is not an address like`},
		{"CALLBACK_PATH=callback", "ESCALATOR_CALLBACK_PATH: "},
		{"RECORD_MAX=lots", `ESCALATOR_RECORD_MAX: "lots" is not a size like 512MiB or 10GiB`},
		{"RECORD_MAX=10GB", `ESCALATOR_RECORD_MAX: "10GB" is not a size like`},
		{"RECORD_MAX=9999999999999GiB", `ESCALATOR_RECORD_MAX: "9999999999999GiB" is not a size like`},
		{"RECORD_MAX=1000", "ESCALATOR_RECORD_MAX: 1000 is below the minimum, 1MiB"},
		{"MAX_MARKS=0", "ESCALATOR_MAX_MARKS: "},
		{"AI_PROVIDER=me", "ESCALATOR_AI_PROVIDER: "},
		{"LOG_LEVEL=loud", `ESCALATOR_LOG_LEVEL: "loud" is none of debug, info, warn, error`},
		{"LOG_TEXT=some", "ESCALATOR_LOG_TEXT: "},
		{"ADMIN_LISTEN=:8081", "ESCALATOR_ADMIN_LISTEN is :8081, which others can reach: "},
		{"ADMIN_LISTEN=127.0.0.1:8080", "ESCALATOR_LISTEN and ESCALATOR_ADMIN_LISTEN are both on port 8080"},
		{"ADMIN_HOSTS=a,,b", "ESCALATOR_ADMIN_HOSTS: a place before or after a comma is empty"},
		{"ADMIN_HOSTS=https://ops.example.com/", "ESCALATOR_ADMIN_HOSTS: \"https://ops.example.com/\" is not a host"},
		{"FORWARD_URL=ftp://u:" + plantedSecret + "@h/p", "ESCALATOR_FORWARD_URL: it is not an address like"},
		{"FORWARD_URL=http://h:x" + plantedSecret, "ESCALATOR_FORWARD_URL: it is not an address like"},
		{"FORWARD_URL=//h/?token=" + plantedSecret, "ESCALATOR_FORWARD_URL: it is not an address like"},
		{"API_URL=u:" + plantedSecret + "@h", "ESCALATOR_API_URL: it is not an address like"},
		{"API_URL=https://h/" + plantedSecret, "ESCALATOR_API_URL: only scheme, host and port"},
		{"API_URL=https://h:x" + plantedSecret, "ESCALATOR_API_URL: it is not an address like"},
		{"REDIS_URL=redis://:" + plantedSecret + "@h:x", "ESCALATOR_REDIS_URL: it is not an address like"},
		{"CALLBACK_PATH=/callback?" + plantedSecret, "ESCALATOR_CALLBACK_PATH: it must begin with /"},
	} {
		_, problems := settingsOf(nil, c.env)
		if len(problems) != 1 || !strings.HasPrefix(problems[0], c.want) {
			t.Errorf("%s: %q, want %q", c.env, problems, c.want)
		}
		if strings.Contains(strings.Join(problems, ""), plantedSecret) {
			t.Errorf("%s: a secret is shown: %q", c.env, problems)
		}
	}
	for _, good := range []string{"API_URL=http://127.0.0.1:1", "API_URL=http://localhost:1", "ADMIN_LISTEN=[::1]:8081"} {
		if _, problems := settingsOf(nil, good); problems != nil {
			t.Errorf("%s: %v", good, problems)
		}
	}
	if _, problems := settingsOf(nil, "ADMIN_LISTEN=:8081", "ADMIN_TOKEN="+plantedSecret); problems != nil {
		t.Error(problems)
	}
	if _, problems := settingsOf(nil, "API_URL=http://example.com", "API_INSECURE=1"); problems != nil {
		t.Error(problems)
	}
}

func TestLoadSettings_allProblems_areReportedAtOnce(t *testing.T) {
	_, problems := settingsOf([]string{"--log-level", "loud"}, "SDKAPPID=", "SECRET_KEY=", "LISTEN=x", "ADMIN_LISTEN=0.0.0.0:1")
	if len(problems) != 5 {
		t.Errorf("%d problems: %q", len(problems), problems)
	}
}

func TestUnknownVariables_areNamed_withoutTheirValues(t *testing.T) {
	problems, warnings := unknownVariables([]string{
		"ESCALATOR_SECRT_KEY=" + plantedSecret, "ESCALATOR_SECRET_KEY_FILE=x", "ESCALATOR_LISTEN=x", "HOME=x",
		"ESCALATOR_SERVICE_HOST=" + plantedSecret, "ESCALATOR_ADMIN_PORT=tcp://10.0.0.1:8081", "ESCALATOR_PORT_8080_TCP=x", "ESCALATOR_VERSION=1",
	})
	if len(problems) != 1 || problems[0].String() != "ESCALATOR_SECRT_KEY is not a setting: did you mean ESCALATOR_SECRET_KEY?" {
		t.Errorf("%q", problems)
	}
	if len(warnings) != 4 || !strings.Contains(warnings[0].String(), "ESCALATOR_SERVICE_HOST") || strings.Contains(warnings[0].String(), plantedSecret) {
		t.Errorf("%q", warnings)
	}
}

// TestREADME_settings_areThoseOfTheProgram compares the table row by row.
func TestREADME_settings_areThoseOfTheProgram(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(readme), "<!-- settings:")
	if !found {
		t.Fatal("README.md has no table of settings")
	}
	var got, want []string
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| `ESCALATOR_") || strings.HasPrefix(line, "| `OTEL_") {
			cells := strings.SplitN(strings.TrimSpace(line), "|", 4)
			got = append(got, strings.TrimSpace(cells[1])+" = "+strings.TrimSpace(cells[2]))
		} else if strings.HasPrefix(line, "#") {
			break
		}
	}
	for i := range settingsTable {
		row := &settingsTable[i]
		name, def := "`"+row.name()+"`", "none"
		switch {
		case row.require:
			def = "required"
		case row.def != "":
			def = "`" + row.def + "`"
		}
		if row.secret {
			name += ", `…_FILE`"
		}
		want = append(want, fmt.Sprintf("%s = %s", name, def))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
