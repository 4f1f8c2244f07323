// Package kit holds the tests of what is under deploy/: manifests are rendered and decoded as a cluster would, packages
// are built and unpacked, the unit is judged by systemd's own tools, and the compiled program runs with the settings that
// each of them gives it. A real Prometheus scrapes services while things go wrong, one fault for each alert. No container
// engine is needed.
package kit
