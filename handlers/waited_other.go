//go:build !linux

package handlers

import "time"

// waited is not known here.
func (c *connection) waited() time.Duration { return 0 }
