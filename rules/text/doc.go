// Package text reads messages and finds phrases in them. It knows nothing of
// rules: give a Builder all phrases of a file, Build a Matcher, and for every
// message call Message.Reset and Matcher.Find. What a phrase means to a user is
// in section 3 of the rule language; this is how it is done.
//
// # From bytes to tokens
//
// HTML is taken out first, if there is any (markup.go). Then Message.Reset makes
// one pass over the text (scan.go). Characters of the usual
// scripts that are followed by their like go straight: they are known to be in
// NFKC. Everything else is taken a combining sequence at a time, without what
// is invisible, through NFKC and folding until nothing changes (segment). The
// result is the normal form, and on the way the tokens: a word of a script with
// spaces, or one character of a script without. Each token knows its bytes in
// the original and in the normal form, the hash of its word, and the strongest
// break between it and the token before: nothing, soft (a space, a hyphen),
// clause (a comma), sentence. Of letters that are drawn out two stay, and the
// token remembers it. Two short passes follow: joinApart skips the separators of
// letters set apart, markClauses numbers the clauses. At most the first and the
// last 1,000 characters are read, so a message has a bounded cost.
//
// ResetCustomer leaves no tokens of what is not the customer's own: quotations,
// links, addresses, file names (foreign.go). They stay in the normal form, and
// the break that they leave behind is one that no phrase goes over.
//
// # From phrases to an automaton
//
// parse.go reads a phrase by recursive descent into items: words, groups, gaps.
// A $name is a group too: names.go asks the Names of the phrase for its class, and
// reads the phrases of that, each with the names that it may use itself.
// compiler.go makes one automaton of the phrases of the whole file, by
// Glushkov's construction (V. M. Glushkov, The abstract theory of automata,
// Russian Mathematical Surveys 16, 1961): a state for each word that is
// written, and an edge where one word can follow another. Four things are
// different from the book:
//
//   - Positions with the same word and the same predecessors are one state, also
//     across phrases: a trie that understands groups. 10,000 phrases that begin
//     alike cost as much as one while the beginning is read.
//   - A group that is written in several places (lists name lists) is compiled
//     once, and is a symbol in the phrases that hold it. Who needs it waits at
//     the token where it can begin, and goes on when it was found, as in a chart
//     parser (J. Earley, An efficient context-free parsing algorithm, CACM 13,
//     1970, without the recursion).
//   - The ends of a group that is written once lead to one state without a word.
//   - A long word of Han has its states twice: without and with the one space
//     that may be skipped in it (spaced.go).
//   - A gap is a state that stays while its budget lasts: 4 words, or 10
//     characters, or a mixture in proportion; it dies at the end of a sentence.
//
// All edges are in one open-addressing hash table, (state, symbol) to states.
//
// # From tokens to hits
//
// Find reads each token once: the vocabulary says which symbols it is, in one cache
// line or, behind its filter, none. On the way the anchors of the message are noted,
// the rare words and pairs of words of which each phrase has one (anchors.go). A
// message without an anchor ends here. Else Find takes the tokens one by one. A
// partial hit is a state and the token where it began; each goes on by one look-up
// for each symbol. A state is entered only if a phrase that it leads to has an anchor
// in the message, and if something ends there or may go on with the next token.
// So a message without a hit costs about the same whatever the number of phrases.
//
// That is done for the phrases that mean something by themselves, and once more for
// all where one of them was found or where phrases may fill the message: most of
// what a rule file holds only changes what other hits mean (Meaning, buckets.go).
//
// Of the hits of a phrase that begin at one token the shortest is reported; hits
// that begin at different tokens may overlap, so who counts should count those of
// one phrase once. `=whole` phrases are decided at the end, when the polite words
// are known. Regular expressions run on the normal form, behind a look for a
// literal that every match must hold, or begin the message with (sieve.go).
//
// The bounds in find.go (partial hits, edges a token, hits) keep lists that
// want to be slow within some ten milliseconds for the longest message; lists
// of 10,000 ordinary phrases use a few hundredths of them.
//
// # From words of roles to frames
//
// Asking for a person is not looked for by phrases but by frames (frames.go): a
// frame holds where words of its roles stand in one clause. The words are phrases
// of the automaton like others, but for two things: they are no hits, and those of
// roles that are no anchors are in an automaton of their own, which runs only over
// a message that has an anchor (framing.go). The words are then put in order, those
// that a homonym lies over are taken out, and each frame is joined: from each word
// that fills a part, the next parts are tried to the right, and of the hits the
// shortest stay. Last, guards void a hit: it is reported under the number behind
// the frame's own, so that nothing counts it and an explanation can name it. A hit
// of a frame is a hit like others to masks and negation, but that a negator
// refuses it wherever it is no part of one of its words.
//
// # Typing errors
//
// A word that is in no phrase and in no list of common words may be a word of a
// phrase typed wrong: one edit in five letters or more, two in nine or more, by
// the optimal string alignment distance, which counts two letters swapped as one
// edit (F. J. Damerau, A technique for computer detection and correction of
// spelling errors, CACM 7, 1964). A letter is a code point of the normal form. The candidates come from a deletion
// neighbourhood (T. Bocek, E. Hunt, B. Stiller, Fast similarity search in large
// dictionaries, University of Zurich, 2007; known as SymSpell): words within d
// edits become equal if up to d letters are deleted from each. Only the nearest
// words count.
//
// # Invariants
//
//   - Phrases and messages go through the same normal form.
//   - The normal form of a normal form is itself, if it is not cut again and
//     holds no HTML (&amp;lt; is resolved once).
//   - Find equals the backtracking matcher of reference_test.go, and for frames that of
//     frames_reference_test.go, but for the bounds.
//   - A Matcher is immutable once its polite words are set; a Message belongs to one
//     goroutine and, when warm, allocates nothing.
package text
