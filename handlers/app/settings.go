package app

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"escalator/bot"
	"escalator/bot/backend"
	"escalator/bot/desk"
	"escalator/bot/store/redis"
	"escalator/bot/trace/otlp"
	"escalator/handlers"
	"escalator/rules/lang"
)

// Settings is everything that can be set from outside, but for the rules.
type Settings struct {
	Version, Commit string     // of the program; not set from outside
	Supervisor      Supervisor // as it told the process in its environment
	// Shown is what operators may see of the settings below.
	Shown []handlers.Setting

	SDKAppID    uint64
	SecretKey   desk.Secret
	Identifier  string
	APIURL      string
	APIBackup   string
	APIInsecure bool

	CallbackTokens []desk.Secret
	CallbackSkew   time.Duration
	Listen         string
	CallbackPath   string
	// ServiceAccounts are those in plain IM that do not begin with @.
	ServiceAccounts []string

	// The agents' panel is served where it has a path.
	PanelPath           string
	PanelToken          desk.Secret
	PanelFrameAncestors []string // sources of a Content-Security-Policy

	AdminListen string
	AdminToken  desk.Secret
	// AdminHosts are the names, beside its own address, under which browsers may ask
	// the operators' listener.
	AdminHosts []string

	Rules            string
	SecretsDir       string // of the addresses and keys that `notify` names
	RulesStart       string // last-good or refuse
	DataDir          string
	DedupFor         time.Duration
	MaxConversations int
	MaxDedupKeys     int
	MaxUsers         int
	DeliveryHorizon  time.Duration
	RedisURL         desk.Secret // it may hold a password
	ShutdownGrace    time.Duration
	DrainDelay       time.Duration
	AIProvider       bot.AIProvider
	ForwardURL       desk.Secret // the same
	RecordDir        string
	RecordFor        time.Duration
	RecordMax        int64 // bytes
	DeskPoll         time.Duration
	HistoryFor       time.Duration // 0: none is kept
	HistoryMax       int64         // bytes

	LogLevel  string
	LogFormat string
	LogText   string

	Traces otlp.Settings
}

// SettingError is a setting that cannot be used, found when it is put to use.
type SettingError struct{ Problem lang.Text }

func (e *SettingError) Error() string { return e.Problem.String() }

// Said is the problem, for a reader of any language.
func (e *SettingError) Said() lang.Text { return e.Problem }

// Problems says what cannot be used as it is, each setting alone and with the
// others, in one line each. Nothing is asked of anybody else for it.
func (s *Settings) Problems() (problems []lang.Text) {
	if s.AdminListen != "" && !loopback(s.AdminListen) && s.AdminToken == "" {
		problems = append(problems, lang.Say("ESCALATOR_ADMIN_LISTEN is %s, which others can reach: set ESCALATOR_ADMIN_TOKEN too, or listen on 127.0.0.1", s.AdminListen))
	}
	for _, u := range []struct{ name, value string }{{"ESCALATOR_API_URL", s.APIURL}, {"ESCALATOR_API_BACKUP_URL", s.APIBackup}} {
		if err := s.checkAPI(u.value); err != nil {
			problems = append(problems, lang.Say("%s: %v", u.name, err))
		}
	}
	if s.RedisURL != "" {
		if c, err := redis.New(redis.Options{URL: s.RedisURL.Reveal()}); err != nil {
			problems = append(problems, lang.Say("ESCALATOR_REDIS_URL: %v", err))
		} else {
			_ = c.Close() // it has not connected
		}
	}
	if s.ForwardURL != "" {
		if _, err := backend.New(s.ForwardURL.Reveal()); err != nil {
			problems = append(problems, lang.Say("ESCALATOR_FORWARD_URL: %v", err))
		}
	}
	if port, same := samePort(s.Listen, s.AdminListen); same {
		problems = append(problems, lang.Say("ESCALATOR_LISTEN and ESCALATOR_ADMIN_LISTEN are both on port %s: give the operators' listener one of its own", port))
	}
	problems = append(problems, s.panelProblems()...)
	_, wrong := s.Traces.Read()
	problems = append(problems, wrong...)
	if s.RedisURL != "" && s.DeliveryHorizon < 2*redis.Lease {
		problems = append(problems, lang.Say("ESCALATOR_DELIVERY_HORIZON is %s: with Redis a transfer of a replica that died is taken over after %s, "+
			"so it would be given up at once; set %s or more", s.DeliveryHorizon, redis.Lease, 2*redis.Lease))
	}
	return problems
}

// checkAPI accepts https anywhere, and plain http where nobody listens in.
func (s *Settings) checkAPI(raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return lang.Errorf("it is not an address like https://console.tim.qq.com") // it is not shown: it may hold a password
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return lang.Errorf("only scheme, host and port belong here")
	}
	if u.Scheme == "http" && !s.APIInsecure && !loopback(u.Host) {
		return lang.Errorf("plain http would show the signature to everyone on the way: use https, or set ESCALATOR_API_INSECURE=1")
	}
	return nil
}

// adminHosts are the names that are listed, and the one that the operators' listener is
// given by.
func (s *Settings) adminHosts() []string {
	host, _, _ := net.SplitHostPort(s.AdminListen)
	return append(slices.Clone(s.AdminHosts), strings.ToLower(host))
}

// samePort reports whether two listeners want the same port of the same address.
func samePort(a, b string) (port string, same bool) {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return "", false
	}
	all := func(host string) bool { return host == "" || net.ParseIP(host).IsUnspecified() }
	return portA, hostA == hostB || all(hostA) || all(hostB)
}

// loopback reports whether an address host:port can be reached from this
// machine only. A name other than localhost is not trusted to.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
