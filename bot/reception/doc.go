// Package reception knows who is at the reception: how many agents are free, how
// many customers wait, and which agents are free. It asks Desk now and then, and
// gives the last reading to the rules and to whoever needs it.
//
// Its entry points are New, Watcher.Run and Watcher.Reading.
//
// Invariants:
//
//   - Desk is asked only while somebody needs it: a rule in force, customers who wait
//     to be contacted, or a question of the last minute (Ask). Metrics are no need.
//   - One of several processes asks (store.Lease); the others read what it was told
//     (store.KindReading). Where the store cannot be used each asks for itself.
//   - A figure that Desk left out is unknown, never 0. What was told a minute ago
//     counts no more.
//   - A call that fails is made at growing distances, and is told once, not each time.
//   - What the status of an agent means is nowhere documented: it is learned from the
//     agents whose changes Desk reports (Member.EventNotify). Each process passes the
//     reports that it gets on to the one that asks.
package reception
