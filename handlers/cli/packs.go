package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/packs"
	"escalator/rules/text"
)

// packInfo is a built-in pack as the list of packs shows it.
type packInfo struct {
	Name      string         `json:"name"`
	About     string         `json:"about"`
	Phrases   int            `json:"phrases"`
	Languages map[string]int `json:"languages"` // phrases of each
}

// packPhrases is one pack, phrase by phrase.
type packPhrases struct {
	Name  string `json:"name"`
	About string `json:"about"`
	// Frames are those of all languages: only $ask_human has some.
	Frames []packFrame `json:"frames,omitempty"`
	Files  []packFile  `json:"files"`
}

// packFile is what the file of one language holds of a pack.
type packFile struct {
	Lang    string       `json:"lang"`
	File    string       `json:"file"`
	Phrases []packPhrase `json:"phrases"`
	// NotPartOf are the phrases that take a hit back.
	NotPartOf []string `json:"not_part_of,omitempty"`
	// Words are the word classes of the file that the phrases name, directly or through others.
	Words map[string][]string `json:"words,omitempty"`
	// Roles are the words of the roles that frames join, and Frames the language's own.
	Roles  []packRole  `json:"roles,omitempty"`
	Frames []packFrame `json:"frames,omitempty"`
}

// packPhrase is one phrase of a pack.
type packPhrase struct {
	Phrase string `json:"phrase"`
	Line   int    `json:"line"`
	Weight int    `json:"weight"`
	// Behind: a negator that refuses only what stands before it.
	Behind bool `json:"behind,omitempty"`
}

// listPacks prints the built-in packs, or one of them phrase by phrase.
func listPacks(_ context.Context, env Env, args []string) error {
	fs := newFlags("packs")
	only := fs.String("lang", "", "only this language, such as zh")
	asJSON := fs.Bool("json", false, "print one JSON document")
	rest, err := parse(fs, env, args, "[NAME] [--lang LANGUAGE] [--json]\n\nLists the built-in packs, or prints one of them phrase by phrase, with its sources.")
	if err != nil {
		return err
	}
	if len(rest) > 1 {
		return &usageError{[]lang.Text{lang.Say("one pack at a time, not %d", len(rest))}}
	}
	files, err := packFiles(*only)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return overview(env, files, *asJSON)
	}
	name := strings.TrimPrefix(rest[0], "$")
	if !slices.Contains(packs.Names, name) {
		return unknownWord("there is no built-in pack", name, packs.Names)
	}
	p := phrasesOf(name, files)
	if *asJSON {
		return writeJSON(env.Stdout, p)
	}
	p.write(newPage(env))
	return nil
}

// packFiles are the files of all languages, or of one.
func packFiles(language string) ([]packs.File, error) {
	files := packs.All()
	if language == "" {
		return files, nil
	}
	var known []string
	for i := range files {
		if files[i].Lang == language {
			return files[i : i+1], nil
		}
		known = append(known, files[i].Lang)
	}
	return nil, &usageError{[]lang.Text{lang.Say("there are no packs for the language %q; there are for %s", language, strings.Join(known, ", "))}}
}

// unknownWord is what a command says to a word that it does not know.
func unknownWord(what lang.Text, word string, known []string) error {
	hint := rules.DidYouMean(word, known)
	if hint == "" {
		hint = lang.Say("there are %s", someOf(known))
	}
	return &usageError{[]lang.Text{lang.Say("%s %q: %s", what, word, hint)}}
}

// someOf names the words, not more than a line or two of them.
func someOf(words []string) lang.Text {
	const most = 10
	if len(words) > most {
		return lang.Say("%s and %d more", lang.List(", ", words[:most]...), len(words)-most)
	}
	return lang.List(", ", words...)
}

// overview prints what packs there are.
func overview(env Env, files []packs.File, asJSON bool) error {
	infos := []packInfo{}
	for _, name := range packs.Names {
		info := packInfo{Name: name, About: packs.About[name], Languages: map[string]int{}}
		for i := range files {
			if n := len(files[i].Packs[name].Phrases) + roleWords(&files[i], name); n > 0 {
				info.Phrases += n
				info.Languages[files[i].Lang] = n
			}
		}
		infos = append(infos, info)
	}
	if asJSON {
		return writeJSON(env.Stdout, map[string]any{"packs": infos})
	}
	p := newPage(env)
	for _, info := range infos {
		p.line(lang.Raw(padded("$"+info.Name, 17)), lang.Key(info.About))
		var counts []string
		for i := range files {
			if n := info.Languages[files[i].Lang]; n > 0 {
				counts = append(counts, fmt.Sprintf("%s %d", files[i].Lang, n))
			}
		}
		p.line(lang.Raw(padded("", 17)), lang.Say("%d phrases: %s", info.Phrases, strings.Join(counts, ", ")))
	}
	p.blank()
	p.line("", "escalator packs NAME prints one of them phrase by phrase; --lang zh one language of it.")
	return nil
}

// roleWords counts the words of roles that a language has for a pack.
func roleWords(f *packs.File, name string) (n int) {
	if name != packs.Framed {
		return 0
	}
	for _, r := range f.Roles {
		n += len(r.Phrases)
	}
	return n
}

// phrasesOf collects what the files hold of a pack.
func phrasesOf(name string, files []packs.File) packPhrases {
	p := packPhrases{Name: name, About: packs.About[name], Files: []packFile{}}
	framed := name == packs.Framed
	if framed {
		p.Frames = framesOf(packs.Shared().Frames)
	}
	for i := range files {
		f := &files[i]
		pack, ok := f.Packs[name]
		if !ok && !(framed && len(f.Roles) > 0) {
			continue
		}
		out := packFile{Lang: f.Lang, File: f.Lang + ".yaml", NotPartOf: pack.NotPartOf, Words: map[string][]string{}}
		for _, ph := range pack.Phrases {
			out.Phrases = append(out.Phrases, packPhrase{ph.Text, ph.Line, ph.Weight, ph.Behind})
			addWords(out.Words, f, ph.Text)
		}
		for _, mask := range pack.NotPartOf {
			addWords(out.Words, f, mask)
		}
		if framed {
			out.Roles, out.Frames = rolesOf(f), framesOf(f.Frames)
			for _, r := range out.Roles {
				for _, w := range r.Words {
					addWords(out.Words, f, w)
				}
			}
		}
		p.Files = append(p.Files, out)
	}
	return p
}

// addWords adds the word classes that a phrase names, and those that they name.
func addWords(words map[string][]string, f *packs.File, phrase string) {
	for _, use := range (text.Source{Text: phrase, Names: wordClasses{f}}).Uses() {
		name := use.Class.Name
		if words[name] != nil {
			continue
		}
		words[name] = f.Words[name]
		for _, word := range words[name] {
			addWords(words, f, word)
		}
	}
}

// wordClasses are the names of a file's word classes, for reading its phrases.
type wordClasses struct{ file *packs.File }

// Class knows a word class by its name only: its words are in the file.
func (w wordClasses) Class(name string) *text.Class {
	if w.file.Words[name] == nil {
		return nil
	}
	return &text.Class{Name: name}
}

// Suggest has no hint: the packs are right.
func (w wordClasses) Suggest(string) lang.Text { return "" }

// write prints the pack: each phrase with its line in the file of its language.
func (p *packPhrases) write(out *page) {
	out.line("", lang.Say("$%s: %s", p.Name, lang.Key(p.About)))
	if len(p.Frames) > 0 {
		out.blank()
		out.line("", "All languages, from rules/packs/frames.yaml: a frame joins words of roles in one clause, a guard voids it")
		writeFrames(out, p.Frames)
	}
	for _, f := range p.Files {
		out.blank()
		if len(f.Roles) > 0 {
			out.line("", lang.Say("%s, from rules/packs/%s", f.Lang, f.File))
			writeFrames(out, f.Frames)
			writeRoles(out, f.Roles)
		} else {
			out.line("", lang.Say("%s, from rules/packs/%s: %d phrases", f.Lang, f.File, len(f.Phrases)))
		}
		for _, ph := range f.Phrases {
			words := lang.Raw(ph.Phrase)
			if ph.Weight != 1 {
				words = lang.Say("%s  (weight %d)", words, ph.Weight)
			}
			if ph.Behind {
				words = lang.Say("%s  (refuses what stands before it)", words)
			}
			out.line(lang.Say("  %5d  ", ph.Line), words)
		}
		for _, mask := range f.NotPartOf {
			out.line("    not  ", lang.Raw(mask))
		}
		for _, name := range slices.Sorted(maps.Keys(f.Words)) {
			out.line("  where  ", lang.Say("$%s is one of", name))
			for _, word := range f.Words[name] {
				out.line("           ", lang.Raw(word))
			}
		}
	}
	if len(p.Files) == 0 {
		out.line("", "No phrases in this language.")
	}
}
