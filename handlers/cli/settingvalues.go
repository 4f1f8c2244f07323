package cli

import (
	"context"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/trace/otlp"
	"escalator/handlers/app"
	"escalator/rules/lang"
)

func setSDKAppID(s *app.Settings, v string) (err error) {
	if s.SDKAppID, err = strconv.ParseUint(v, 10, 64); err != nil || s.SDKAppID == 0 {
		return lang.Errorf("%q is not an SDKAppID: the number that the console shows beside the app", v)
	}
	return nil
}

func setAPIInsecure(s *app.Settings, v string) (err error) {
	if s.APIInsecure, err = strconv.ParseBool(v); err != nil {
		return lang.Errorf("%q is neither 0 nor 1", v)
	}
	return nil
}

func setTokens(s *app.Settings, v string) error {
	tokens, err := list(v)
	for _, t := range tokens {
		s.CallbackTokens = append(s.CallbackTokens, desk.Secret(t))
	}
	if len(s.CallbackTokens) > 2 {
		return lang.Errorf("at most two tokens, the new one and the old one")
	}
	return err
}

// list splits a list at its commas. Another sign in the place of one would make a single
// value of two. No error shows any of it: they may be tokens.
func list(v string) (all []string, err error) {
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			return nil, lang.Errorf("a place before or after a comma is empty")
		}
		if at := strings.IndexAny(part, "，、；;"); at >= 0 {
			sign, _ := utf8.DecodeRuneInString(part[at:])
			return nil, lang.Errorf("it holds “%c”: separate values by a plain comma", sign)
		}
		all = append(all, part)
	}
	return all, nil
}

func setPath(s *app.Settings, v string) error {
	if !strings.HasPrefix(v, "/") || strings.ContainsAny(v, " !$&?#:*") {
		return lang.Errorf("it must begin with / and hold none of: space ! $ & ? # : *") // it is not shown: a part of it may be secret
	}
	s.CallbackPath = v
	return nil
}

// setAdminHosts reads a list of host names, without scheme and port.
func setAdminHosts(s *app.Settings, v string) error {
	hosts, err := list(v)
	for _, host := range hosts {
		if strings.ContainsAny(host, "/:*@ ") {
			return lang.Errorf("%q is not a host like ops.example.com, without scheme and port", host)
		}
		s.AdminHosts = append(s.AdminHosts, strings.ToLower(host))
	}
	return err
}

// setServiceAccounts reads a list of accounts.
func setServiceAccounts(s *app.Settings, v string) (err error) {
	s.ServiceAccounts, err = list(v)
	return err
}

func setAIProvider(s *app.Settings, v string) (err error) {
	s.AIProvider, err = bot.ParseAIProvider(v)
	return err
}

func plain(field func(*app.Settings) *string) func(*app.Settings, string) error {
	return func(s *app.Settings, v string) error { *field(s) = v; return nil }
}

// traces keeps what OpenTelemetry's variables say as it is: where traces are off nobody
// looks at it.
func traces(field func(*otlp.Settings) *string) func(*app.Settings, string) error {
	return func(s *app.Settings, v string) error { *field(&s.Traces) = v; return nil }
}

func oneOf(field func(*app.Settings) *string, values ...string) func(*app.Settings, string) error {
	return func(s *app.Settings, v string) error {
		if !slices.Contains(values, v) {
			return lang.Errorf("%q is none of %s", v, strings.Join(values, ", "))
		}
		*field(s) = v
		return nil
	}
}

func duration(field func(*app.Settings) *time.Duration, least time.Duration) func(*app.Settings, string) error {
	return func(s *app.Settings, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil {
			return lang.Errorf("%q is not a duration like 90s, 10m or 24h", v)
		}
		if d < least {
			return lang.Errorf("%s is below the minimum, %s", v, least)
		}
		*field(s) = d
		return nil
	}
}

// size reads a number of bytes, with its unit.
func size(field func(*app.Settings) *int64, least int64) func(*app.Settings, string) error {
	return func(s *app.Settings, v string) error {
		number, unit := v, int64(1)
		for i, name := range []string{"KiB", "MiB", "GiB", "TiB"} {
			if before, ok := strings.CutSuffix(v, name); ok {
				number, unit = strings.TrimSpace(before), 1<<(10*(i+1))
			}
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit {
			return lang.Errorf("%q is not a size like 512MiB or 10GiB", v)
		}
		if n *= unit; n < least {
			return lang.Errorf("%s is below the minimum, %dMiB", v, least>>20)
		}
		*field(s) = n
		return nil
	}
}

func count(field func(*app.Settings) *int) func(*app.Settings, string) error {
	return func(s *app.Settings, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return lang.Errorf("%q is not a number above 0", v)
		}
		*field(s) = n
		return nil
	}
}

func address(field func(*app.Settings) *string) func(*app.Settings, string) error {
	return func(s *app.Settings, v string) error {
		host, port, err := net.SplitHostPort(v)
		if err == nil {
			_, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", port) // of a number it only looks at the size
		}
		badIP := host != "" && strings.Trim(host, "0123456789.") == "" && net.ParseIP(host) == nil
		if err != nil || port == "" || badIP {
			return lang.Errorf("%q is not an address like :8080 or 127.0.0.1:8081", v)
		}
		*field(s) = v
		return nil
	}
}
