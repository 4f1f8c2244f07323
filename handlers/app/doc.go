// Package app is the running service, made from its settings: New builds it and
// binds its listeners, Start serves, Stop takes it down, Run does the two until a
// context ends.
//
// Invariants:
//
//   - What depends on what stands in New, in one straight function, and is taken
//     down in the reverse order.
//   - Stop ends within the grace. A step that hangs is left behind and told of;
//     it never keeps the others from their turn.
//   - A setting that cannot be used is a *SettingError.
package app
