package desk

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestSecret_neverShowsItself(t *testing.T) {
	const value = "planted"
	s := Secret(value)
	type settings struct{ Key Secret }
	doc, err := json.Marshal([]any{s, &s, settings{s}})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(doc), s.String(), s.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s"} {
		shown = append(shown, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, settings{s}), fmt.Sprintf(verb, &settings{s}), fmt.Sprintf(verb, []Secret{s}))
	}
	for _, text := range shown {
		if strings.Contains(text, value) || strings.Contains(text, fmt.Sprintf("%x", value)) {
			t.Errorf("shows itself in %s", text)
		}
	}
	if s.Reveal() != value {
		t.Error("Reveal does not")
	}
	if got := fmt.Sprintf("%q", Secret("")); got != `""` {
		t.Errorf("an empty secret shows as %s", got)
	}
}
