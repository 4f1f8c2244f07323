// Package e2e holds only tests: they run the compiled binary as a user would,
// against the Desk emulator, over real HTTP on loopback.
package e2e
