package sqlstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// seconds is how a time of a job is stored. The zero time is 0.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// micros is how all other times are stored. The zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// timeColumn scans what seconds or micros made.
type timeColumn struct {
	t    *time.Time
	from func(int64) time.Time
}

func fromSeconds(t *time.Time) timeColumn {
	return timeColumn{t, func(n int64) time.Time { return time.Unix(n, 0) }}
}

func fromMicros(t *time.Time) timeColumn { return timeColumn{t, time.UnixMicro} }

// Scan implements sql.Scanner.
func (c timeColumn) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("time column holds a %T", src)
	}
	*c.t = time.Time{}
	if n != 0 {
		*c.t = c.from(n).UTC()
	}
	return nil
}

// durationColumn scans and stores whole seconds.
type durationColumn struct{ d *time.Duration }

// Value implements driver.Valuer.
func (c durationColumn) Value() (driver.Value, error) { return int64(*c.d / time.Second), nil }

// Scan implements sql.Scanner.
func (c durationColumn) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("duration column holds a %T", src)
	}
	*c.d = time.Duration(n) * time.Second
	return nil
}

// jsonColumn stores and scans the value behind a pointer as JSON text. A nil list or map is null and comes back as nil.
type jsonColumn struct{ v any }

// Value implements driver.Valuer.
func (c jsonColumn) Value() (driver.Value, error) {
	text, err := json.Marshal(c.v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", c.v, err)
	}
	return string(text), nil
}

// Scan implements sql.Scanner.
func (c jsonColumn) Scan(src any) error {
	var text []byte
	switch s := src.(type) {
	case string:
		text = []byte(s)
	case []byte:
		text = s
	default:
		return fmt.Errorf("JSON column holds a %T", src)
	}
	if err := json.Unmarshal(text, c.v); err != nil {
		return fmt.Errorf("decode %T: %w", c.v, err)
	}
	return nil
}

// number is a float in JSON, where what is no finite number is null.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(f)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// numberMap stores and scans a map of floats as JSON text.
type numberMap struct{ m *map[string]float64 }

// Value implements driver.Valuer.
func (c numberMap) Value() (driver.Value, error) {
	var wire map[string]number
	if *c.m != nil {
		wire = make(map[string]number, len(*c.m))
	}
	for k, v := range *c.m {
		wire[k] = number(v)
	}
	return jsonColumn{wire}.Value()
}

// Scan implements sql.Scanner.
func (c numberMap) Scan(src any) error {
	var wire map[string]number
	if err := (jsonColumn{&wire}).Scan(src); err != nil {
		return err
	}
	*c.m = nil
	if wire != nil {
		*c.m = make(map[string]float64, len(wire))
	}
	for k, v := range wire {
		(*c.m)[k] = float64(v)
	}
	return nil
}
