// Package inspect compares what Desk's own settings say with a rule file and with our
// settings: texts that customers would get twice, hours that differ, whose robot
// answers, and groups and agents that are not there.
//
// Its one entry point is Run. It asks Desk and changes nothing there.
//
// Invariants:
//
//   - What Desk does not tell is unknown, and said to be: a refused call is a line, and
//     never a fault of the installation.
//   - It ends within Within, whatever Desk does, and gives a bounded number of lines.
//   - A fault (OK is false) is only what makes a transfer go wrong for certain. All else
//     that is worth a look is a warning.
package inspect
