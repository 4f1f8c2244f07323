package lang

import (
	"regexp"
	"strings"
	"testing"
)

// TestCatalogue_keepsToItsTerms holds the translations to the glossary at the top of the catalogue: a message with the
// English term has the Chinese one.
func TestCatalogue_keepsToItsTerms(t *testing.T) {
	words := readPO(zhPO)
	for _, m := range regexp.MustCompile(`(?m)^#glossary (\w+) = (\S+)$`).FindAllStringSubmatch(zhPO, -1) {
		term, used := regexp.MustCompile(`(^|[ (])`+m[1]+`s?( |; |$)`), 0
		for key, zh := range words {
			prose := code.ReplaceAllString(key, "")
			if !term.MatchString(prose) || strings.HasPrefix(prose, "%s: %q") || otherSense[key] {
				continue
			}
			if used++; !strings.Contains(zh, m[2]) {
				t.Errorf("%s is %s: %q is translated as %q", m[1], m[2], key, zh)
			}
		}
		if used == 0 {
			t.Errorf("nothing says %s", m[1])
		}
	}
}

func TestCatalogue_sentencesHaveFullWidthMarks(t *testing.T) {
	half := regexp.MustCompile(`\p{Han}[,;!?]`)
	for key, zh := range readPO(zhPO) {
		if half.MatchString(code.ReplaceAllString(zh, "")) {
			t.Errorf("half-width mark in a sentence: %q → %q", key, zh)
		}
	}
}

// otherSense are messages that have a term's word in another sense, or as a name.
var otherSense = map[string]bool{
	"a time with an agent": true, "a bot of Tencent's agent platform": true,
	"other things that look like words of roles: human resources, travel agent": true,
	"waiting customers by group": true, "a range of waiting customers": true,
	"rules takes nothing, history, diff [FROM [TO]] or rollback VERSION (escalator rules --help)": true,
	"a phrase like (a|b) says much in one line":                                                   true, "print the built-in phrase packs": true,
	"escalator packs NAME prints one of them phrase by phrase; --lang zh one language of it.":                                  true,
	"[NAME] [--lang LANGUAGE] [--json]\n\nLists the built-in packs, or prints one of them phrase by phrase, with its sources.": true,
	"mute needs --for, how long, and --why (escalator mute --help)":                                                            true,
	"the role %q is none of user, bot, agent":                                                                                  true,
	"only those with this `REASON`, such as negated or cooldown":                                                               true, "`%s` must hold, and `not` rules it out": true,
}

// code is what stands in messages and is no prose.
var code = regexp.MustCompile("`[^`]*`|\"[^\"]*\"|\\{[^}]*\\}|--[a-z-]+|\\[[^\\]]*\\]|escalator [a-z]+|[A-Za-z_]+[=:] ?[^ ]+|/[a-z/]+")
