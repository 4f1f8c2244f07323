// Package suggest finds words that would have caught customers whom the rules missed. It reads labelled messages and
// dialogues, and conversations as they happened, and proposes entries for the list by which the rules hear requests: a
// phrase, or for $ask_human the word of a role.
//
// Candidates are the n-grams of tokens, as the matcher sees them, of what was missed. They are ranked by the log-odds of
// being in a missed conversation and not in a quiet one, with an informative Dirichlet prior taken from both together
// (B. Monroe, M. Colaresi, K. Quinn: Fightin' Words, Political Analysis 16, 2008, equations 15, 16, 22). In that order they are tried: each is
// written into the rule file, the file is loaded, its tests are run and everything is judged again. So the figures of a
// suggestion are those that `escalator eval` gives once it is in the file.
//
// Words of only one conversation, or of one customer, are never proposed: a name, an address or an order number is such a word.
package suggest
