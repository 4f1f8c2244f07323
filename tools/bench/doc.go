// Command bench measures the service as it runs, and prints one table.
//
// The real binary serves in a process of its own, with real settings: callback
// token on, data folder on disk, log into a file. Beside it, in another process,
// serves the floor: the least that a Gin handler can do with a callback. A third
// process makes the load, so that neither side pays for it in its own garbage
// collector. Both sides are measured in alternating rounds, because machines
// are noisy: what counts is the ratio of one run.
//
// Latency is measured from the moment at which a request was meant to be sent.
// A generator that waits for an answer before it looks at the clock again does
// not see the requests that would have come meanwhile.
//
// It runs from the root of the repository: `make bench`.
//
// With -busy everything is measured a second time while another process sweeps
// 32 MiB of memory without end, as other work on a machine does: what fits the
// caches of an idle machine does not stay there.
//
// Everything stays on loopback, takes less than ten minutes on two cores (twice
// that with -busy), and ends by itself. What is missing (a tool, memory, a port)
// is told in one line, with exit code 2; webhook may be missing, and its rows say so.
package main
