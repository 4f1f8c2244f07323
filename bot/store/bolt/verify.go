package bolt

import (
	"fmt"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
)

// guarded runs f, which reads or writes the file's map in memory. Where the file was
// cut, or a page of it points anywhere, bbolt panics or reads beyond the map; that is
// the error then, and not the end of the process.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // of this goroutine
	defer func() {
		if p := recover(); p != nil {
			err = foreignError(fmt.Sprint("it is damaged: ", p))
		}
	}()
	return f()
}

// readAll reads every record of every bucket, so that damage is found at the start.
func readAll(db *bolt.DB) error {
	return db.View(func(tx *bolt.Tx) error {
		var sum byte
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
			return b.ForEach(func(key, value []byte) error {
				for _, record := range [][]byte{key, value} {
					for _, c := range record {
						sum ^= c
					}
				}
				return nil
			})
		})
	})
}
