// Command escalator watches chatbot conversations on Tencent Cloud Desk,
// decides from a rule file when one should go to a person, and takes it there.
package main

import (
	"context"
	_ "embed"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // calendars need time zones, also where the machine has none

	"escalator/handlers/cli"
)

// shippedRules is the rule file that the demo runs and that `explain` falls
// back to in an empty folder.
//
//go:embed rules.yaml
var shippedRules []byte

func main() {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.Env{
		Stdin:        os.Stdin,
		Stdout:       os.Stdout,
		Stderr:       os.Stderr,
		Getenv:       os.Getenv,
		Environ:      os.Environ(),
		Reload:       hangup,
		ShippedRules: shippedRules,
	}))
}
