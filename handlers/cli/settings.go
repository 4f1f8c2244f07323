package cli

import (
	"cmp"
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"time"

	"escalator/bot/desk"
	"escalator/bot/trace/otlp"
	"escalator/handlers"
	"escalator/handlers/app"
	"escalator/rules/lang"
	"escalator/rules/text"
)

// setting is one row of the table that feeds the environment, the flags of
// serve, its --help, the README and the tests.
type setting struct {
	env     string // what follows ESCALATOR_, or one of OpenTelemetry's; the flag is it in lower case with dashes
	def     string
	help    lang.Text
	secret  bool // it may hold one: from the environment or a file (…_FILE), never a flag, and never shown
	require bool
	set     func(*app.Settings, string) error
	shown   func(string) string // what operators may see of the value; nil: all of it
}

const (
	envPrefix  = "ESCALATOR_"
	otelPrefix = "OTEL_"
)

var settingsTable = []setting{
	{env: "SDKAPPID", require: true, help: "the app's SDKAppID; callbacks of another app are refused", set: setSDKAppID},
	{env: "SECRET_KEY", require: true, secret: true, help: "UserSig key of the app", set: func(s *app.Settings, v string) error { s.SecretKey = desk.Secret(v); return nil }},
	{env: "IDENTIFIER", def: "administrator", help: "app admin account that signs REST calls", set: plain(func(s *app.Settings) *string { return &s.Identifier })},
	{env: "API_URL", def: "https://console.tim.qq.com", help: "REST host of the app's data centre", set: plain(func(s *app.Settings) *string { return &s.APIURL })},
	{env: "API_BACKUP_URL", help: "REST host used when the first one does not answer", set: plain(func(s *app.Settings) *string { return &s.APIBackup })},
	{env: "API_INSECURE", def: "0", help: "1 allows plain http to a REST host that is not loopback", set: setAPIInsecure},
	{env: "DESK_POLL", def: "10s", help: "how often agents and queue are read from Desk while they are needed; one replica does it", set: duration(func(s *app.Settings) *time.Duration { return &s.DeskPoll }, time.Second)},
	{env: "CALLBACK_TOKEN", secret: true, help: "callback token; two, separated by a comma, while it is being changed", set: setTokens},
	{env: "CALLBACK_SKEW", def: "60s", help: "how far RequestTime may be from now", set: duration(func(s *app.Settings) *time.Duration { return &s.CallbackSkew }, time.Second)},
	{env: "LISTEN", def: ":8080", help: "public listener: callbacks, and the agents' panel when switched on", set: address(func(s *app.Settings) *string { return &s.Listen })},
	{env: "CALLBACK_PATH", def: "/callback", help: "path of the callbacks; may hold a secret segment", set: setPath, shown: app.ShownPath},
	{env: "PANEL_PATH", help: "path of the agents' panel on the public listener, for Desk's screen pop; switches it on", set: setPanelPath},
	{env: "PANEL_TOKEN", secret: true, help: "token of the agents' panel, 16 characters or more; required with its path", set: setPanelToken},
	{env: "PANEL_FRAME_ANCESTORS", help: "origins whose pages may show the agents' panel, such as https://desk.example.com, separated by spaces; required with its path", set: setPanelFrameAncestors},
	{env: "ADMIN_LISTEN", def: "127.0.0.1:8081", help: "operators' listener: health, metrics, API", set: address(func(s *app.Settings) *string { return &s.AdminListen })},
	{env: "ADMIN_TOKEN", secret: true, help: "bearer token of the operators' listener; required when that is not loopback", set: func(s *app.Settings, v string) error { s.AdminToken = desk.Secret(v); return nil }},
	{env: "ADMIN_HOSTS", help: "names under which browsers reach the operators' listener, separated by commas, beside localhost and its own address", set: setAdminHosts},
	{env: "RULES", def: "rules.yaml", help: "rule file, watched for changes", set: plain(func(s *app.Settings) *string { return &s.Rules })},
	{env: "RULES_START", def: rulesLastGood, help: "what a start does when the rule file is refused: last-good takes the last accepted version from the data folder, refuse exits with 2", set: oneOf(func(s *app.Settings) *string { return &s.RulesStart }, rulesLastGood, "refuse")},
	{env: "DATA_DIR", def: "data", help: "folder for what must survive a restart", set: plain(func(s *app.Settings) *string { return &s.DataDir })},
	{env: "SECRETS_DIR", help: "folder of the secret files named under notify in the rule file: addresses and keys of the staff's chats", set: plain(func(s *app.Settings) *string { return &s.SecretsDir })},
	{env: "DEDUP_FOR", def: "10m", help: "how long a callback is remembered", set: duration(func(s *app.Settings) *time.Duration { return &s.DedupFor }, time.Second)},
	{env: "MAX_CONVERSATIONS", def: "1000000", help: "most conversations kept; beyond that, the longest-idle one that is still with the bot is dropped", set: count(func(s *app.Settings) *int { return &s.MaxConversations })},
	{env: "MAX_MARKS", def: "2000000", help: "most callbacks remembered; beyond that, the oldest goes first", set: count(func(s *app.Settings) *int { return &s.MaxDedupKeys })},
	{env: "MAX_USERS", def: "500000", help: "most users about whom something is kept; beyond that, the one silent longest goes first", set: count(func(s *app.Settings) *int { return &s.MaxUsers })},
	{env: "DELIVERY_HORIZON", def: "30m", help: "how long to keep retrying; then the transfer is given up and an error is logged", set: duration(func(s *app.Settings) *time.Duration { return &s.DeliveryHorizon }, time.Second)},
	{env: "SHUTDOWN_GRACE", def: "10s", help: "longest time that a clean stop takes", set: duration(func(s *app.Settings) *time.Duration { return &s.ShutdownGrace }, time.Second)},
	{env: "DRAIN_DELAY", def: "0s", help: "how long to serve on, no longer ready, before a clean stop, so that the load balancer notices", set: duration(func(s *app.Settings) *time.Duration { return &s.DrainDelay }, 0)},
	{env: "REDIS_URL", secret: true, help: "redis://user:password@host:6379/0 (rediss:// for TLS): several replicas share conversations, dedup and outbox", set: func(s *app.Settings, v string) error { s.RedisURL = desk.Secret(v); return nil }}, //nolint:gosec // no password, but where it goes
	{env: "AI_PROVIDER", def: "desk", help: "who answers messages that are not escalated: desk (Desk's robot), self (your own backend), omit (do not say)", set: setAIProvider},
	{env: "SERVICE_ACCOUNTS", help: "accounts of the service in plain IM, separated by commas, beside those that begin with @ and those that Desk's callbacks have named", set: setServiceAccounts},
	{env: "FORWARD_URL", secret: true, help: "address of your own bot: callbacks that are not escalated are passed on to it, and its answer is returned", set: func(s *app.Settings, v string) error { s.ForwardURL = desk.Secret(v); return nil }},
	{env: "RECORD_DIR", help: "folder for accepted callbacks, as JSON lines that escalator replay reads, with words masked as in the log", set: plain(func(s *app.Settings) *string { return &s.RecordDir })},
	{env: "RECORD_FOR", def: "168h", help: "how long recorded callbacks are kept", set: duration(func(s *app.Settings) *time.Duration { return &s.RecordFor }, time.Hour)},
	{env: "RECORD_MAX", def: "10GiB", help: "largest size of all recorded callbacks; beyond that, the oldest go first", set: size(func(s *app.Settings) *int64 { return &s.RecordMax }, 1<<20)},
	{env: "HISTORY_FOR", def: "72h", help: "how long the history of conversations is kept, with words masked as in the log; 0s keeps none", set: duration(func(s *app.Settings) *time.Duration { return &s.HistoryFor }, 0)},
	{env: "HISTORY_MAX", def: "1GiB", help: "largest size of the history; beyond that, the oldest goes first", set: size(func(s *app.Settings) *int64 { return &s.HistoryMax }, 1<<20)},
	{env: "LOG_LEVEL", def: "info", help: "debug, info, warn or error", set: oneOf(func(s *app.Settings) *string { return &s.LogLevel }, "debug", "info", "warn", "error")},
	{env: "LOG_FORMAT", def: "json", help: "json, text for people, or auto: text on a terminal, else json", set: oneOf(func(s *app.Settings) *string { return &s.LogFormat }, "json", "text", "auto")},
	{env: "LOG_TEXT", def: "masked", help: "customers' words in logs: masked (numbers and e-mail addresses hidden), full or none", set: oneOf(func(s *app.Settings) *string { return &s.LogText }, "masked", "full", "none")},
	{env: "OTEL_EXPORTER_OTLP_ENDPOINT", help: "OpenTelemetry collector for traces, such as http://127.0.0.1:4318; switches them on", set: traces(func(t *otlp.Settings) *string { return &t.Endpoint }), shown: otlp.ShownEndpoint},
	{env: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", help: "the same for traces only, with its path; overrides the one above", set: traces(func(t *otlp.Settings) *string { return &t.TracesEndpoint }), shown: otlp.ShownEndpoint},
	{env: "OTEL_EXPORTER_OTLP_HEADERS", secret: true, help: "headers for the collector, name=value separated by commas, values percent-encoded", set: func(s *app.Settings, v string) error { s.Traces.Headers = desk.Secret(v); return nil }},
	{env: "OTEL_EXPORTER_OTLP_PROTOCOL", def: "http/protobuf", help: "protocol of the collector; no other is supported", set: traces(func(t *otlp.Settings) *string { return &t.Protocol })},
	{env: "OTEL_EXPORTER_OTLP_TIMEOUT", def: "10000", help: "milliseconds that the collector has to answer; nothing else waits for it", set: traces(func(t *otlp.Settings) *string { return &t.Timeout })},
	{env: "OTEL_SERVICE_NAME", help: "name of this service in traces; without it, service.name from the next setting, else escalator", set: traces(func(t *otlp.Settings) *string { return &t.ServiceName })},
	{env: "OTEL_RESOURCE_ATTRIBUTES", help: "more attributes of this service in traces, name=value separated by commas", set: traces(func(t *otlp.Settings) *string { return &t.Attributes })},
	{env: "OTEL_TRACES_EXPORTER", def: "otlp", help: "none switches traces off", set: traces(func(t *otlp.Settings) *string { return &t.Exporter })},
	{env: "OTEL_TRACES_SAMPLER", def: "parentbased_always_on", help: "which traces are recorded: always_on, always_off or traceidratio, or parentbased_ followed by one of these", set: traces(func(t *otlp.Settings) *string { return &t.Sampler })},
	{env: "OTEL_TRACES_SAMPLER_ARG", help: "share of the traces that traceidratio records, from 0 to 1; without it, all", set: traces(func(t *otlp.Settings) *string { return &t.SamplerArg })},
	{env: "OTEL_SDK_DISABLED", def: "false", help: "true switches traces off, whatever else is set", set: traces(func(t *otlp.Settings) *string { return &t.Disabled })},
}

// name is the variable's full name.
func (s *setting) name() string {
	if strings.HasPrefix(s.env, otelPrefix) {
		return s.env
	}
	return envPrefix + s.env
}

// flag is the name of the setting's flag.
func (s *setting) flag() string {
	return strings.ReplaceAll(strings.ToLower(s.env), "_", "-")
}

// usageError is a command line or a configuration that cannot be used; the
// process ends with 2.
type usageError struct{ problems []lang.Text }

func (e *usageError) Error() string { return e.Said().String() }

// Said is what cannot be used, for a reader of any language.
func (e *usageError) Said() lang.Text { return lang.Join("\n", e.problems...) }

// loadSettings reads flags, environment and defaults, in this order of force.
// Every problem is reported at once, as a *usageError.
func loadSettings(args []string, env Env) (*app.Settings, error) {
	given, err := parseFlags(args, newPage(env))
	if err != nil {
		return nil, err
	}
	s := &app.Settings{}
	problems, _ := unknownVariables(env.Environ)
	for i := range settingsTable {
		row := &settingsTable[i]
		switch there, err := row.read(s, given, env.Getenv); {
		case err != nil:
			problems = append(problems, lang.Of(err))
		case !there && row.require:
			problems = append(problems, lang.Say("%s is not set: %s", row.name(), row.help))
		}
		s.Shown = append(s.Shown, row.show(given, env.Getenv))
	}
	problems = append(problems, s.Problems()...)
	if len(problems) > 0 {
		return nil, &usageError{problems}
	}
	return s, nil
}

// readSecrets reads only what comes from the environment or a file: the emulator
// plays with the service's own keys.
func readSecrets(s *app.Settings, getenv func(string) string) error {
	var problems []lang.Text
	for i := range settingsTable {
		row := &settingsTable[i]
		if !row.secret {
			continue
		}
		if _, err := row.read(s, nil, getenv); err != nil {
			problems = append(problems, lang.Of(err))
		}
	}
	if len(problems) > 0 {
		return &usageError{problems}
	}
	return nil
}

// parseFlags returns the flags that were given, by flag name.
func parseFlags(args []string, help *page) (map[string]string, error) {
	fs := flag.NewFlagSet("escalator serve", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	given := map[string]string{}
	for i := range settingsTable {
		row := &settingsTable[i]
		if !row.secret {
			fs.Func(row.flag(), row.help.String(), func(v string) error { given[row.flag()] = v; return nil })
		}
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		printSettings(help)
		return nil, err
	case err != nil:
		return nil, &usageError{[]lang.Text{badFlag(fs, err)}}
	case fs.NArg() > 0:
		name, _, assigned := strings.Cut(fs.Arg(0), "=")
		if assigned { // what is assigned may be a secret
			name += "=…"
		}
		return nil, &usageError{[]lang.Text{lang.Say("unexpected argument %q (escalator --help lists the commands)", name)}}
	}
	return given, nil
}

// badFlag says what is wrong with a flag. A secret is none, because others on the
// machine see a command line.
func badFlag(fs *flag.FlagSet, err error) lang.Text {
	for i := range settingsTable {
		row := &settingsTable[i]
		if row.secret && strings.HasSuffix(err.Error(), ": -"+row.flag()) {
			return lang.Say("--%s is not a flag: others would see it in the list of processes; set %s or %s_FILE", row.flag(), row.name(), row.name())
		}
	}
	return lang.Say("%s (escalator serve --help lists the flags)", flagError(fs, err))
}

// printSettings writes the table for --help.
func printSettings(p *page) {
	p.line("", "Usage: escalator serve [flags]")
	p.blank()
	p.line("", "Every setting is an environment variable and, secrets excepted, a flag. --env-file FILE reads settings from NAME=VALUE lines; the environment overrides them.")
	p.blank()
	for i := range settingsTable {
		row := &settingsTable[i]
		names := lang.Raw(row.name() + ", --" + row.flag())
		if row.secret {
			names = lang.Say("%s or %s", row.name(), row.name()+"_FILE")
		}
		switch {
		case row.require:
			names = lang.Say("%s (required)", names)
		case row.def != "":
			names = lang.Say("%s (default %s)", names, row.def)
		}
		p.line("  ", names)
		p.line("      ", row.help)
	}
}

// value finds the setting's value: an empty flag or variable, which is what a
// shell makes of one that is not set, is the default.
func (s *setting) value(flags map[string]string, getenv func(string) string) (string, error) {
	if v, ok := flags[s.flag()]; ok {
		return cmp.Or(v, s.def), nil
	}
	if s.secret {
		return s.secretValue(getenv)
	}
	return cmp.Or(getenv(s.name()), s.def), nil
}

// read puts the setting's value, if it has one, into the settings. The error names the variable.
func (s *setting) read(into *app.Settings, flags map[string]string, getenv func(string) string) (there bool, err error) {
	value, err := s.value(flags, getenv)
	if err != nil || value == "" {
		return false, err
	}
	if err := s.set(into, value); err != nil {
		return true, lang.Errorf("%s: %w", s.name(), err)
	}
	return true, nil
}

// show returns what operators may see of the setting.
func (s *setting) show(flags map[string]string, getenv func(string) string) handlers.Setting {
	value, _ := s.value(flags, getenv) // read has told of an error
	shown := handlers.Setting{Name: s.name(), Value: value, Default: value == s.def}
	switch {
	case s.secret && value == "":
		shown.Value = "not set"
	case s.secret:
		shown.Value = "set"
	case s.shown != nil:
		shown.Value = s.shown(value)
	}
	return shown
}

// slip is how many letters of a name may be wrong for it to be a slip of the keyboard.
const slip = 2

// ours reports whether a variable was meant for this program: it has our prefix, or is one
// of OpenTelemetry's by which an exporter of traces is set.
func ours(name string) bool {
	return strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, "OTEL_TRACES_") || strings.HasPrefix(name, "OTEL_EXPORTER_OTLP_") &&
		!strings.HasPrefix(name, "OTEL_EXPORTER_OTLP_METRICS_") && !strings.HasPrefix(name, "OTEL_EXPORTER_OTLP_LOGS_")
}

// unknownVariables tells of the variables with our prefix that mean nothing. One that
// is near to a setting was meant to be it, and the service would run without; others may
// be somebody else's, such as those that Kubernetes sets.
func unknownVariables(environ []string) (problems, warnings []lang.Text) {
	known := []string{}
	for i := range settingsTable {
		known = append(known, settingsTable[i].name())
		if settingsTable[i].secret {
			known = append(known, settingsTable[i].name()+"_FILE")
		}
	}
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if !ours(name) || slices.Contains(known, name) {
			continue
		}
		near := slices.IndexFunc(known, func(k string) bool { return text.Distance(name, k, slip+1) <= slip })
		if near < 0 {
			warnings = append(warnings, lang.Say("%s is not a setting of this version and does nothing", name))
		} else {
			problems = append(problems, lang.Say("%s is not a setting: did you mean %s?", name, known[near]))
		}
	}
	return problems, warnings
}
