package cli

import (
	"fmt"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/packs"
)

// packRole is the words that one language has for a role of $ask_human.
type packRole struct {
	Role  string   `json:"role"`
	About string   `json:"about"`
	Guard bool     `json:"guard,omitempty"`
	Words []string `json:"words"`
}

// packFrame is one frame of $ask_human.
type packFrame struct {
	Name  string `json:"name"`
	Words string `json:"words"` // what it joins, in words
}

// framesOf puts frames into words.
func framesOf(frames []packs.Frame) (out []packFrame) {
	for _, f := range frames {
		out = append(out, packFrame{f.Name, frameWords(f)})
	}
	return out
}

func frameWords(f packs.Frame) string {
	either := func(roles string) string { return strings.ReplaceAll(roles, "|", " or ") }
	var parts []string
	for _, p := range f.All {
		parts = append(parts, either(p))
	}
	join := " and "
	if f.Fixed {
		join = ", then "
	}
	words := strings.Join(parts, join)
	if f.Gap > 0 {
		words += fmt.Sprintf(", up to %d other words between", f.Gap)
	}
	if len(f.Between) > 0 {
		words += ", between them only " + strings.Join(f.Between, ", ")
	}
	if f.Whole != "" {
		words += "; nothing else in the " + strings.Replace(f.Whole, "end", "clause and to the end", 1)
		if len(f.Beside) > 0 {
			words += " but " + strings.Join(f.Beside, ", ")
		}
	}
	if len(f.Unless) > 0 {
		words += "; not with " + strings.Join(f.Unless, ", ")
	}
	if f.Now {
		words += "; asks now"
	}
	if len(f.In) > 1 {
		words += "; in " + strings.Join(f.In, ", ")
	}
	return words
}

// rolesOf lists the words of the roles of a language.
func rolesOf(f *packs.File) (out []packRole) {
	for _, r := range f.Roles {
		role := packs.Shared().Role(r.Role)
		p := packRole{Role: r.Role, About: role.About, Guard: role.Kind != packs.Word}
		for _, ph := range r.Phrases {
			p.Words = append(p.Words, ph.Text)
		}
		out = append(out, p)
	}
	return out
}

// writeFrames prints the frames of all languages, or those of one.
func writeFrames(out *page, frames []packFrame) {
	for _, f := range frames {
		out.line("  frame  ", lang.Say("%s: %s", lang.Key(f.Name), f.Words))
	}
}

// writeRoles prints the words of roles.
func writeRoles(out *page, roles []packRole) {
	for _, r := range roles {
		kind := lang.Text("   role  ")
		if r.Guard {
			kind = "  guard  "
		}
		out.line(kind, lang.Say("%s: %s", r.Role, lang.Key(r.About)))
		for _, w := range r.Words {
			out.line("           ", lang.Raw(w))
		}
	}
}
