// Package lang holds messages until somebody reads them, and the languages in which they can be read.
//
// English stands in the code where a message is made, and is the key of its translations:
//
//	lang.Say("rule `%s` is over: it has been off since %s", id, day)
//
// makes a Text. Printed, logged or written as JSON it is English; Text.In gives it in another language. There is no language
// of the program: a service answers two people in two languages at once.
//
// Every constant of type Text is a key of the catalogues (zh.po). A test finds them all by their type, and says which one a
// catalogue lacks or no longer needs.
package lang
