package ware

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// FuzzBodies states that whatever is sent is read or refused as fault.Invalid, and that what was read keeps its values.
func FuzzBodies(f *testing.F) {
	for _, s := range []string{
		`{"a": "1", "b": 2, "c": true, "d": 1e400}`, `{"a": null}`, `{"a": {}}`, `{"a": "\ud800"}`, `["a", "b"]`, `"a, b,,c"`, `""`, `null`, `7`, `{"a":1,"a":2}`, `"1d"`, `-1`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var attributes attributeMap
		if err := json.Unmarshal([]byte(s), &attributes); err == nil {
			var raw map[string]any
			if err := json.Unmarshal([]byte(s), &raw); err == nil && len(raw) != len(attributes) {
				t.Errorf("%s reads as %v", s, attributes)
			}
		} else if json.Valid([]byte(s)) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s is refused with %v", s, err)
		}
		var names nameList
		if err := json.Unmarshal([]byte(s), &names); err == nil && strings.HasPrefix(strings.TrimSpace(s), `"`) {
			if slices.ContainsFunc(names, func(n string) bool { return n == "" || strings.Contains(n, ",") }) {
				t.Errorf("%s reads as %q", s, names)
			}
		} else if err != nil && json.Valid([]byte(s)) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s is refused with %v", s, err)
		}
		var body tokenBody
		if err := json.Unmarshal([]byte(`{"lifetime": `+s+`}`), &body); err == nil {
			if r, err := body.request(); err == nil && body.Lifetime != nil && r.Lifetime <= 0 {
				t.Errorf("lifetime %s is %s", s, r.Lifetime)
			}
		}
		_ = tokenID(s + "." + s + "." + s)
	})
}

func TestNamesComeAsListOrText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`"a"`: {"a"}, `"a, b,,c"`: {"a", "b", "c"}, `["a", "b,c"]`: {"a", "b,c"}, `""`: {}, `[]`: {},
	} {
		var got nameList
		if err := json.Unmarshal([]byte(text), &got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s reads as %q, %v", text, got, err)
		}
	}
	var keys lineList
	if err := json.Unmarshal([]byte(`"ssh-rsa A x, y\n\nssh-ed25519 B z\n"`), &keys); err != nil || !slices.Equal(keys, []string{"ssh-rsa A x, y", "ssh-ed25519 B z"}) {
		t.Errorf("keys read as %q, %v", keys, err)
	}
}
