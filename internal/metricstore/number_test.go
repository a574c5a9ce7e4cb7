package metricstore_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// The record that says which numbers have been given out may be damaged. Series that are created then must not get the
// numbers of others.
func TestNoTwoSeriesGetOneNumber(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	db.Number(20)
	write(t, db, point{load("n01"), 0, 1})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.bhc"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	data := read(t, files[0])
	data[len(data)-1] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	if len(db.Recovered().Damage) == 0 {
		t.Fatal("the checkpoint is whole")
	}
	const hosts = 40
	for i := 2; i <= hosts; i++ {
		write(t, db, point{load(fmt.Sprintf("n%02d", i)), 0, float64(i)})
	}
	if err := db.Seal(); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= hosts; i++ {
		want(t, all(db, load(fmt.Sprintf("n%02d", i))), float64(i))
	}
}

func TestWhenAllNumbersAreSpentNoSeriesIsCreated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	db.Number(math.MaxUint32 - 8)
	write(t, db, point{load("n01"), 0, 1}, point{load("n02"), 0, 1}, point{load("n03"), 0, 1})
	threads := func(v float64) error {
		a := db.Appender()
		defer a.Close()
		for _, id := range []string{"0", "1"} {
			l := thread("n01", id).Labels()
			if err := a.Append(&l, 60, now.Unix(), v); err != nil {
				return err
			}
		}
		return a.Commit()
	}
	if err := threads(2); !errors.Is(err, metricstore.ErrNumbers) {
		t.Errorf("more than there are numbers: %v", err)
	}
	write(t, db, point{load("n01"), 1, 3})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	if d := db.Recovered().Damage; len(d) > 0 {
		t.Error(d)
	}
	want(t, all(db, load("n01")), 3, 1)
	want(t, all(db, load("n02")), 1)
	want(t, all(db, load("n03")), 1)
	if err := threads(2); !errors.Is(err, metricstore.ErrNumbers) {
		t.Errorf("after a restart: %v", err)
	}
}
