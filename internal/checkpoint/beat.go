package checkpoint

import (
	"os"
	"strings"
)

// beats are times at which series have had a sample, by their names. Snapshots and JSON files do not say when samples were:
// their steps begin when the file was begun, and a sample stands in the step within half a step of which it was. The log does
// say it. A series whose collector goes on as before gets the steps that its next samples fall into: in others, those that
// come a little early or late would push each other out.
type beats map[string]int64

// beatsOf reads the beats from a log. What is wrong with the log is told when its samples are read.
func beatsOf(path string) beats {
	f, err := os.Open(path) //nolint:gosec // below the folder that the administrator names
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	b := beats{}
	_, _ = ReadLog(f, func(s Series) {
		if name := s.name(); b[name] == 0 {
			b[name] = s.First
		}
	})
	return b
}

// align returns when the first sample of the series was: on its beat, where that is known.
func (b beats) align(s Series) int64 {
	beat, ok := b[s.name()]
	if !ok {
		return s.First
	}
	earliest := s.First - s.Step/2
	early := (beat - earliest) % s.Step // before a beat
	if early < 0 {
		early += s.Step
	}
	return earliest + early
}

// name tells the series from others of its host.
func (s *Series) name() string { return s.Metric + "\x00" + strings.Join(s.Levels, "\x00") }
