package cli

import (
	"context"
	"runtime"
	"runtime/debug"
)

// Version and Commit are set by the linker (make build); a plain go build
// takes what Go itself knows.
var (
	Version = ""
	Commit  = ""
)

// version prints what is running.
func version(_ context.Context, env Env, args []string) error {
	if err := flagsOnly(newFlags("version"), env, args, ""); err != nil {
		return err
	}
	v, c := buildVersion()
	env.print("escalator %s (commit %s, %s %s/%s)", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

func buildVersion() (version, commit string) {
	version, commit = Version, Commit
	if info, ok := debug.ReadBuildInfo(); ok {
		if version == "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && commit == "" {
				commit = s.Value
			}
		}
	}
	if version == "" {
		version = "(devel)"
	}
	if commit == "" {
		commit = "unknown"
	}
	return version, commit
}
