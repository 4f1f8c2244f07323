package rules

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// This file looks at texts that YAML can read and that most likely are not what was meant: cut by a comment, joined by a
// comma that is none, over two lines.

// lintTyped looks at every text of the file.
func (l *loader) lintTyped(root *yaml.Node) {
	slips, comments := l.source.read()
	for _, n := range l.texts {
		l.lintCut(n, comments)
	}
	bots := map[*yaml.Node]bool{}
	botWords(root, false, bots)
	for _, n := range l.book.nodes() {
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
			l.lintPlain(n, slips, bots[n])
		}
	}
	for _, name := range sortedKeys(l.book.listFiles) {
		for _, e := range l.book.listFiles[name].entries {
			l.lintListed(e.node, path.Ext(name) == ".csv")
		}
	}
}

// weightBehind is what a line of CSV has behind its phrase.
var weightBehind = regexp.MustCompile(`[,;，；、\t]\s*-?[0-9]+$`)

// lintListed looks at a phrase of a file: another sign than the file's own may have been meant to separate columns, or
// phrases.
func (l *loader) lintListed(n *yaml.Node, isCSV bool) {
	at, hint := joint(n.Value, false), lang.Text("give each phrase a line of its own; if it is one, say so in a further column: # ok: one phrase")
	if m := weightBehind.FindStringIndex(n.Value); m != nil {
		if at, hint = m[0], "separate the columns with a comma"; !isCSV {
			hint = "separate the columns with a tab, or call the file .csv"
		}
	}
	if at >= 0 && len(phrasesIn(n.Value)) > 1 {
		line, column := l.source.inside(n, at)
		l.warn(line, column, hint, "%s does not separate anything here: this is one phrase, %s", jointName(n.Value[at:]), shorten(n.Value))
	}
}

// jointName names the sign with which a text begins.
func jointName(s string) lang.Text {
	r, _ := utf8.DecodeRuneInString(s)
	if sign, ok := signOf(r); ok {
		return sign.says(r)
	}
	return map[rune]lang.Text{';': "a semicolon", ',': "a comma", '\t': "a tab"}[r]
}

// lintCut finds a text behind which a comment begins that looks like more of it.
func (l *loader) lintCut(n *yaml.Node, comments map[int]comment) {
	c, ok := comments[n.Line]
	if !ok || !c.glued() || n.Style != 0 {
		return
	}
	line := []rune(l.source.line(n.Line))
	if c.column-1 > len(line) || n.Column > c.column || strings.TrimSpace(string(line[n.Column-1:c.column-1])) != n.Value {
		return
	}
	whole := n.Value + strings.TrimRight(string(line[n.Column-1+utf8.RuneCountInString(n.Value):]), " \t\r")
	l.warn(n.Line, c.column, lang.Say(`if it belongs to the text, put the text in quotes: "%s"; if not, write a space after #`, shorten(whole)), "everything after this # is a comment; the text is only %s", shorten(n.Value))
}

// printQuoted is a text between typographic quotes.
var printQuoted = regexp.MustCompile(`^[“‘]([^“”‘’]+)[”’]$`)

// lintPlain looks at a phrase without quotes.
func (l *loader) lintPlain(n *yaml.Node, slips []slip, bot bool) {
	text := l.source.line(n.Line)
	if !strings.HasPrefix(skipRunes(text, n.Column-1), n.Value) {
		l.warn(n.Line, n.Column, "begin each phrase with a dash and a space, or close the brackets on the same line", "this phrase goes on in the next line: %s", shorten(n.Value))
		return
	}
	if m := printQuoted.FindStringSubmatch(n.Value); m != nil {
		quoted := m[1]
		l.warn(n.Line, n.Column, lang.Say(`write "%s", or only %s`, shorten(quoted), shorten(quoted)), "these are typographic quotes, which YAML takes as part of the phrase")
		return
	}
	inBrackets := slices.ContainsFunc(slips, func(s slip) bool {
		return s.line == n.Line && s.want == ", " && s.column >= n.Column && s.column < n.Column+utf8.RuneCountInString(n.Value)
	})
	at := joint(n.Value, inBrackets && !bot)
	list := phrasesIn(n.Value)
	if at < 0 || len(list) < 2 {
		return
	}
	sign := jointName(n.Value[at:])
	if n.Value[at] == ',' {
		sign = lang.Say("%s outside of brackets", sign)
	}
	hint := lang.Say("if they are %d phrases, write [%s]; if it is one, put it in quotes", len(list), strings.Join(list, ", "))
	if !inBrackets {
		hint = lang.Say("if they are %d phrases, give each a line of its own: - %s; if it is one, put it in quotes", len(list), strings.Join(list, " - "))
	}
	line, column := l.source.inside(n, at)
	l.warn(line, column, hint, "%s does not separate phrases: this is one phrase, %s", sign, shorten(n.Value))
}

// joint finds the sign that most likely was meant to separate phrases, -1 if there is none. A single comma is as likely
// one of a sentence, except between brackets, where YAML's commas separate.
func joint(s string, inBrackets bool) int {
	if inBrackets || strings.Count(s, "，")+strings.Count(s, ",") > 1 {
		return strings.IndexAny(s, ",，、；;\t")
	}
	return strings.IndexAny(s, "、；;\t")
}

// phrasesIn cuts a phrase at the signs that a spreadsheet or a Chinese keyboard puts between phrases.
func phrasesIn(s string) []string {
	var list []string
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(",，、；;\t", r) }) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, shorten(part))
		}
	}
	return list
}

// botWords marks the phrases that a bot says: sentences, in which commas are at home.
func botWords(n *yaml.Node, bot bool, marked map[*yaml.Node]bool) {
	if n.Kind == yaml.ScalarNode && bot {
		marked[n] = true
	}
	for i, kid := range n.Content {
		its := bot
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			its = bot || slices.Contains([]string{"bot_says", "bot_said", "signals", "bot_offers", "bot_missed"}, n.Content[i-1].Value)
		}
		botWords(kid, its, marked)
	}
}

// okReason is the comment that silences the warnings of its line.
var okReason = regexp.MustCompile(`#\s*ok:\s*\S`)

// withoutSilenced drops the warnings whose line says that it is meant so.
func (l *loader) withoutSilenced(ps []Problem) []Problem {
	if len(ps) == 0 {
		return ps
	}
	_, comments := l.source.read()
	return slices.DeleteFunc(ps, func(p Problem) bool {
		if l.source.fileOf(p.Line).list {
			return okReason.MatchString(l.source.line(p.Line)) // in the column for notes
		}
		return okReason.MatchString(comments[p.Line].text)
	})
}
