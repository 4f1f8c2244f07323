// Package rulefile keeps the rules in force equal to a file that people edit
// while the service runs.
//
// Invariants:
//
//   - A file is taken whole or not at all: it is loaded, its tests are run, and
//     only then is one pointer swapped. Whatever is wrong with it, the rules in
//     force stay. At a start the last accepted version takes their place.
//   - It is compared by content, not by time or by events: an editor's write and
//     rename, a swapped symbolic link and a file that comes back all look alike.
//   - A changed file is taken once two looks have found the same content, so
//     that one that is being written is not read half.
//   - A file that was refused is not tried again until it changes.
//   - Nobody waits for storage that hangs: Status, Policy, History and Degraded
//     never, the others for storageTimeout at each disk.
//   - The accepted versions in the data folder are a help: that one cannot be
//     kept is told, and keeps no rules from being put in force.
package rulefile
