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

func main() { os.Exit(run()) }

// run gives the first SIGINT or SIGTERM to the command as the end of its
// context; after that the signals have their usual effect, so that a second
// one ends the process at once.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	return cli.Run(ctx, os.Args[1:], cli.Env{
		Stdin:        os.Stdin,
		Stdout:       os.Stdout,
		Stderr:       os.Stderr,
		Getenv:       os.Getenv,
		Environ:      os.Environ(),
		Reload:       hangup,
		ShippedRules: shippedRules,
	})
}
