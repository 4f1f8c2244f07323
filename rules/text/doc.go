// Package text is the normal form, the tokens, the phrases and the matcher.
package text
