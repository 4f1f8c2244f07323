// Package browser holds only tests: the console and the agent panel in a real Chromium, over HTTP on loopback.
package browser
