// Package rulefile keeps the rules in force equal to a file that people edit
// while the service runs.
//
// Invariants:
//
//   - A file is taken whole or not at all: it is loaded, its tests are run, and
//     only then is one pointer swapped. Whatever is wrong with it, the rules in
//     force stay.
//   - It is compared by content, not by time or by events: an editor's write and
//     rename, a swapped symbolic link and a file that comes back all look alike.
//   - A changed file is taken once two looks have found the same content, so
//     that one that is being written is not read half.
//   - A file that was refused is not tried again until it changes.
//   - Nobody waits for storage that hangs: Status and Policy never, Watch and
//     Reload for readWithin.
package rulefile
