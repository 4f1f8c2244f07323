//go:build !unix

package cli

import "os"

// terminalWidth knows nothing of terminals here.
func terminalWidth(*os.File) int { return 0 }

func answersAsTerminal(*os.File) bool { return false }
