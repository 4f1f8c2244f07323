package desk

import (
	"net/url"
	"strings"
)

// Query holds the parameters that Tencent appends to a callback's URL. The
// names are read without regard to case, because Tencent itself spells them in
// several ways.
type Query struct {
	SDKAppID    string // "" when missing, or when it came more than once
	Command     string // CallbackCommand, the first one
	RequestID   string // names one callback; the same on a repeat
	Sign        string // "" when missing, or when it came more than once
	RequestTime string // as it was sent: the signature covers this very text

	// Conflict says that CallbackCommand came twice with different values.
	Conflict bool
}

// ParseQuery reads a raw query string (http.Request.URL.RawQuery). It allocates
// nothing unless a value is percent-encoded. A parameter that authenticates the
// request and comes twice counts as missing: two readers must not be able to
// see two different values. Pieces that cannot be unescaped are left out.
func ParseQuery(raw string) Query {
	var q Query
	var apps, signs, times int
	escaped := strings.IndexByte(raw, '%') >= 0 || strings.IndexByte(raw, '+') >= 0
	for raw != "" {
		var piece string
		piece, raw, _ = strings.Cut(raw, "&")
		name, value, _ := strings.Cut(piece, "=")
		if escaped {
			var err, valueErr error
			name, err = url.QueryUnescape(name)
			value, valueErr = url.QueryUnescape(value)
			if err != nil || valueErr != nil {
				continue
			}
		}
		switch {
		case is(name, "SdkAppid"):
			once(&q.SDKAppID, value, &apps)
		case is(name, "Sign"):
			once(&q.Sign, value, &signs)
		case is(name, "RequestTime"):
			once(&q.RequestTime, value, &times)
		case is(name, "CallbackCommand"):
			q.Conflict = q.Conflict || (q.Command != "" && q.Command != value)
			first(&q.Command, value)
		case is(name, "RequestID"):
			first(&q.RequestID, value)
		}
	}
	return q
}

// is compares without regard to case; the lengths settle nearly every call.
func is(name, want string) bool { return len(name) == len(want) && strings.EqualFold(name, want) }

func first(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func once(field *string, value string, seen *int) {
	*seen++
	*field = value
	if *seen > 1 {
		*field = ""
	}
}
