package token

import (
	"encoding/json"
	"strings"
	"testing"
)

// readAny reads a text with the strict reader and returns its members that are strings or whole numbers.
func readAny(text string) (map[string]any, error) {
	m := map[string]any{}
	r := newReader(text)
	r.object(func(name string) {
		switch c := r.peek(); {
		case c == '"':
			m[name] = r.str()
		case c == '-' || c >= '0' && c <= '9':
			m[name] = r.number()
		default:
			r.skip()
		}
	})
	return m, r.end()
}

func TestStrictReaderAcceptsPlainJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, " {\n} ", `{"a":1}`, `{"a":-0.5e+7,"b":[true,false,null,[],{}]}`, `{"\u0061":"\ud83d\ude00\n\"\\\/"}`,
		`{"":""}`, `{"a":{"a":{"a":"a"}}}`, `{"a":[[[[[[[]]]]]]]}`,
	} {
		if _, err := readAny(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestStrictReaderRefusesWhatParsersDisagreeAbout(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"empty":              ``,
		"no object":          `[]`,
		"number":             `1`,
		"BOM":                "\ufeff{}",
		"trailing":           `{} {}`,
		"trailing NUL":       "{}\x00",
		"duplicate":          `{"a":1,"a":1}`,
		"escaped duplicate":  `{"a":1,"\u0061":1}`,
		"nested duplicate":   `{"a":[{"b":{"c":1,"c":2}}]}`,
		"bad UTF-8":          "{\"a\":\"\xff\"}",
		"overlong UTF-8":     "{\"a\":\"\xc0\xaf\"}",
		"half surrogate":     `{"a":"\ud83d"}`,
		"swapped surrogates": `{"a":"\ude00\ud83d"}`,
		"surrogate and text": `{"a":"\ud83dx"}`,
		"control character":  "{\"a\":\"\n\"}",
		"control, escaped":   "{\"a\":\"\\n\n\"}",
		"unknown escape":     `{"a":"\x41"}`,
		"short escape":       `{"a":"\u004"}`,
		"single quotes":      `{'a':1}`,
		"comment":            `{/**/"a":1}`,
		"trailing comma":     `{"a":1,}`,
		"leading comma":      `{,"a":1}`,
		"missing comma":      `{"a":1 "b":2}`,
		"missing colon":      `{"a" 1}`,
		"NaN":                `{"a":NaN}`,
		"Infinity":           `{"a":-Infinity}`,
		"leading zero":       `{"a":01}`,
		"plus":               `{"a":+1}`,
		"bare point":         `{"a":1.}`,
		"bare exponent":      `{"a":1e}`,
		"hex":                `{"a":0x1}`,
		"more than a float":  `{"a":[1e400]}`,
		"True":               `{"a":True}`,
		"depth":              `{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		"depth, objects":     strings.Repeat(`{"a":`, 10_000),
		"cut":                `{"a":"b`,
		"cut escape":         `{"a":"\`,
		"mixed brackets":     `{"a":[1}`,
	} {
		if m, err := readAny(text); err == nil {
			t.Errorf("%s: read as %v", what, m)
		}
	}
}

func TestIntegersAreExact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "1767225600": 1767225600, "9007199254740991": 1<<53 - 1, "-1": -1} {
		r := newReader(text)
		if got := r.integer(); r.end() != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, r.end())
		}
	}
	for _, text := range []string{"9007199254740992", "1e3", "1.0", "1E0", `"1"`, "null", "99999999999999999999", "", "-"} {
		r := newReader(text)
		if got := r.integer(); r.end() == nil {
			t.Errorf("%s reads as %d", text, got)
		}
	}
}

// FuzzStrictReader holds the reader against encoding/json: what it accepts is JSON, and says the same there.
func FuzzStrictReader(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":"b","c":1e5}`, `{"a":[{"b":null}],"\u0062":true}`, `{"a":"\ud83d\ude00"}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"a":`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readAny(text)
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is not JSON", text)
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var want map[string]any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		for name, value := range got {
			if n, ok := want[name].(json.Number); ok && n.String() == value || want[name] == value {
				continue
			}
			t.Errorf("%q: member %q reads as %v, to encoding/json as %v", text, name, value, want[name])
		}
	})
}
