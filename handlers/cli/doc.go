// Package cli is the command line: the table of settings, and one small
// file for each command. Commands print what people
// read on standard output and end with a code that scripts can use (0 good,
// 1 bad, 2 the command or the configuration cannot be used). The log of a
// running service goes to standard error.
package cli
