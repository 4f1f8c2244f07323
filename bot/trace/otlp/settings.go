package otlp

import (
	"cmp"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/net/http/httpguts"

	"escalator/bot/desk"
	"escalator/rules/lang"
)

// Settings are OpenTelemetry's variables as they are set; "" is not set.
type Settings struct {
	Disabled       string      // OTEL_SDK_DISABLED
	Exporter       string      // OTEL_TRACES_EXPORTER
	Endpoint       string      // OTEL_EXPORTER_OTLP_ENDPOINT, to which /v1/traces is added
	TracesEndpoint string      // OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, as it is
	Headers        desk.Secret // OTEL_EXPORTER_OTLP_HEADERS
	Protocol       string      // OTEL_EXPORTER_OTLP_PROTOCOL
	Timeout        string      // OTEL_EXPORTER_OTLP_TIMEOUT, in milliseconds
	ServiceName    string      // OTEL_SERVICE_NAME
	Attributes     string      // OTEL_RESOURCE_ATTRIBUTES
	Sampler        string      // OTEL_TRACES_SAMPLER
	SamplerArg     string      // OTEL_TRACES_SAMPLER_ARG
}

// Config is how traces are recorded and where they go.
type Config struct {
	url         string
	header      http.Header
	timeout     time.Duration
	attributes  map[string]string // of the resource
	sampler     sdk.Sampler
	parentBased bool // the sampler does as a parent says
}

// Address is the collector's host and port.
func (c *Config) Address() string {
	u, err := url.Parse(c.url)
	if err != nil {
		return "" // Read has parsed it
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
}

// Read returns how traces are to be recorded, nil where they are off, and one line for
// each value that cannot be used. Where traces are off the other values are not looked
// at: the platform may set them for all its programs.
func (s *Settings) Read() (*Config, []lang.Text) {
	var problems []lang.Text
	off, err := strconv.ParseBool(cmp.Or(strings.ToLower(s.Disabled), "false"))
	if err != nil {
		problems = append(problems, lang.Say("OTEL_SDK_DISABLED: %q is neither true nor false", s.Disabled))
	}
	if s.Exporter != "" && s.Exporter != "otlp" && s.Exporter != "none" {
		problems = append(problems, lang.Say("OTEL_TRACES_EXPORTER: %q is none of otlp, none", s.Exporter))
	}
	if len(problems) > 0 || off || s.Exporter == "none" || s.Endpoint == "" && s.TracesEndpoint == "" {
		return nil, problems
	}
	c := &Config{}
	for _, part := range []struct {
		name string
		read func(*Config) error
	}{
		{s.endpointName(), s.readEndpoint},
		{"OTEL_EXPORTER_OTLP_HEADERS", s.readHeaders},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", s.readProtocol},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", s.readTimeout},
		{"OTEL_RESOURCE_ATTRIBUTES", s.readResource},
		{"OTEL_TRACES_SAMPLER", s.readSampler},
	} {
		if err := part.read(c); err != nil {
			problems = append(problems, lang.Say("%s: %v", part.name, err))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

func (s *Settings) endpointName() string {
	if s.TracesEndpoint != "" {
		return "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	}
	return "OTEL_EXPORTER_OTLP_ENDPOINT"
}

// readEndpoint reads the address. It is not shown where it cannot be used: it may hold a
// password.
func (s *Settings) readEndpoint(c *Config) error {
	u, err := url.Parse(cmp.Or(s.TracesEndpoint, s.Endpoint))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return lang.Errorf("it is not an address like http://127.0.0.1:4318")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return lang.Errorf("only scheme, host, port and path belong here; credentials go into OTEL_EXPORTER_OTLP_HEADERS")
	}
	if s.TracesEndpoint == "" {
		u = u.JoinPath("v1", "traces")
	}
	c.url = u.String()
	return nil
}

// ShownEndpoint is what operators may see of an endpoint: its path may be secret.
func ShownEndpoint(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || endpoint == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// readHeaders reads name=value pairs, separated by commas, the values percent-encoded. No
// error shows any of it.
func (s *Settings) readHeaders(c *Config) error {
	all, ok := pairs(s.Headers.Reveal())
	c.header = http.Header{}
	for name, value := range all {
		ok = ok && httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value)
		c.header.Set(name, value)
	}
	if !ok {
		return lang.Errorf("it is not of the form name=value,name=value, the values percent-encoded (it is not shown)")
	}
	return nil
}

// pairs reads what the standard writes like W3C's baggage.
func pairs(list string) (map[string]string, bool) {
	all := map[string]string{}
	if list == "" {
		return all, true
	}
	for pair := range strings.SplitSeq(list, ",") {
		name, value, found := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || name == "" || err != nil {
			return all, false
		}
		all[name] = value
	}
	return all, true
}

func (s *Settings) readProtocol(*Config) error {
	if s.Protocol != "" && s.Protocol != "http/protobuf" {
		return lang.Errorf("%q is not supported, only http/protobuf, which collectors accept on port 4318", s.Protocol)
	}
	return nil
}

// longestTimeout bounds how long one answer of the collector is waited for.
const longestTimeout = time.Hour

func (s *Settings) readTimeout(c *Config) error {
	ms, err := strconv.ParseInt(cmp.Or(s.Timeout, "10000"), 10, 64)
	if err != nil || ms < 1 || ms > longestTimeout.Milliseconds() {
		return lang.Errorf("%q is not a number of milliseconds like 10000", s.Timeout)
	}
	c.timeout = time.Duration(ms) * time.Millisecond
	return nil
}

func (s *Settings) readResource(c *Config) error {
	all, ok := pairs(s.Attributes)
	if !ok {
		return lang.Errorf("it is not of the form name=value,name=value, the values percent-encoded")
	}
	c.attributes = all
	if s.ServiceName != "" {
		c.attributes["service.name"] = s.ServiceName
	}
	return nil
}

// samplers are those of the standard that need no other service. The argument is the one
// that samples a share of the traces.
var samplers = map[string]func(share sdk.Sampler) sdk.Sampler{
	"always_on":                func(sdk.Sampler) sdk.Sampler { return sdk.AlwaysSample() },
	"always_off":               func(sdk.Sampler) sdk.Sampler { return sdk.NeverSample() },
	"traceidratio":             func(share sdk.Sampler) sdk.Sampler { return share },
	"parentbased_always_on":    func(sdk.Sampler) sdk.Sampler { return sdk.ParentBased(sdk.AlwaysSample()) },
	"parentbased_always_off":   func(sdk.Sampler) sdk.Sampler { return sdk.ParentBased(sdk.NeverSample()) },
	"parentbased_traceidratio": func(share sdk.Sampler) sdk.Sampler { return sdk.ParentBased(share) },
}

func (s *Settings) readSampler(c *Config) error {
	name := cmp.Or(strings.ToLower(s.Sampler), "parentbased_always_on")
	sampler, known := samplers[name]
	if !known {
		return lang.Errorf("%q is none of %s", s.Sampler, strings.Join(slices.Sorted(maps.Keys(samplers)), ", "))
	}
	share := 1.0
	if strings.HasSuffix(name, "ratio") && s.SamplerArg != "" {
		var err error
		if share, err = strconv.ParseFloat(s.SamplerArg, 64); err != nil || math.IsNaN(share) || share < 0 || share > 1 {
			return lang.Errorf("OTEL_TRACES_SAMPLER_ARG: %q is not a share of the traces between 0 and 1, like 0.1", s.SamplerArg)
		}
	}
	c.sampler, c.parentBased = sampler(sdk.TraceIDRatioBased(share)), strings.HasPrefix(name, "parentbased")
	return nil
}
