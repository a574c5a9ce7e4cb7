package metricstore

import (
	"strconv"
	"testing"
)

func TestSpellingsAreThoseOfOneHost(t *testing.T) {
	t.Parallel()
	db := new(DB)
	for head, host := range map[string]string{
		"flops,cluster=a,hostname=n01,type=node": "n01", "n01,hostname=n01": "n01", "n01": "n01",
		"no host at all": "n01", "n0n01n01": "n01", "hostname=n01": "n01", "n01,x": "n01",
	} {
		p := db.spelling([]byte(head), nil, host, Memo{})
		if !p.spells([]byte(head), host) {
			t.Errorf("%q is not what it was made of", head)
		}
		for _, other := range []string{"", head + "x", "x" + head, head[1:], head[:len(head)-1], "flops,cluster=a,hostname=n02,type=node", "n01,hostname=n02"} {
			if other != head && p.spells([]byte(other), host) {
				t.Errorf("%q is taken for %q", other, head)
			}
		}
	}
	a, b := db.spelling([]byte("m,hostname=n01,x=1"), nil, "n01", Memo{}), db.spelling([]byte("m,hostname=longer,x=1"), nil, "longer", Memo{})
	if a != b {
		t.Error("two hosts have a spelling each")
	}
	if db.spelling([]byte("abh"), nil, "h", Memo{}) == db.spelling([]byte("\x02ab"), nil, "h", Memo{}) {
		t.Error("what does not name the host is taken for what does")
	}
	// Where the name of the host is does not get lost among the names around it.
	if db.spelling([]byte("ahb"), nil, "h", Memo{}) == db.spelling([]byte("abh"), nil, "h", Memo{}) || db.spelling([]byte("ab"), nil, "h", Memo{}) == db.spelling([]byte("ahb"), nil, "h", Memo{}) {
		t.Error("spellings are mixed up")
	}
}

func TestSharedValuesAreForgottenWhenThereAreTooMany(t *testing.T) {
	t.Parallel()
	var made int
	var table shared[string]
	get := func(id string) *string {
		return table.get([]byte(id), func(id string) *string { made++; return &id })
	}
	first := get("first")
	if get("first") != first || made != 1 {
		t.Errorf("%d are made of one", made)
	}
	for n := range 2*maxShared + 3 {
		get(strconv.Itoa(n))
	}
	if n := len(table.values); n > maxShared {
		t.Errorf("%d are known", n)
	}
	if *first != "first" || *get("first") != "first" {
		t.Error("what was forgotten has changed")
	}
}
