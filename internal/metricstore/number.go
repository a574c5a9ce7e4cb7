package metricstore

import "math"

// newNumbers returns the first of so many numbers that no series has ever had. The error is ErrNumbers: those that are free
// again are not told from those that are still in a segment.
func (db *DB) newNumbers(n uint32) (first uint32, err error) {
	for {
		last := db.lastNumber.Load()
		if last > math.MaxUint32-rolledSeries-n {
			return 0, ErrNumbers
		}
		if db.lastNumber.CompareAndSwap(last, last+n) {
			return last + 1, nil
		}
	}
}

// raiseNumber notes that a series has the number. Only Open calls it.
func (db *DB) raiseNumber(n uint32) {
	if n > db.lastNumber.Load() {
		db.lastNumber.Store(n)
	}
}
