package cli

import (
	"slices"
	"testing"

	"escalator/handlers/app"
)

func TestServiceAccounts_areAListOfNames(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []string // nil: refused
	}{
		{"entry", []string{"entry"}},
		{"entry, @shop ,x y", []string{"entry", "@shop", "x y"}},
		{"a,,b", nil},
		{"a,", nil},
		{"a，b", nil},
		{"a;b", nil},
	} {
		var s app.Settings
		if err := setServiceAccounts(&s, c.value); (err != nil) != (c.want == nil) || err == nil && !slices.Equal(s.ServiceAccounts, c.want) {
			t.Errorf("%q: %q, %v", c.value, s.ServiceAccounts, err)
		}
	}
}
