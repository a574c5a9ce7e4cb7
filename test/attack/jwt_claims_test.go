package attack_test

import (
	"fmt"
	"strings"
)

// ours returns the claims of a token that says it was minted here, after the replacements.
func (h *head) ours(oldNew ...string) string {
	s := `{"iss":"bridgehead","aud":"bridgehead","sub":"` + victim + `","uid":"` + h.victim + `","jti":"j1","iat":` + at(-10) +
		`,"nbf":` + at(-10) + `,"exp":` + at(3600) + `,"roles":["api"],"kind":"service"}`
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(s, oldNew[i]) {
			panic("nothing to replace: " + oldNew[i])
		}
		s = strings.Replace(s, oldNew[i], oldNew[i+1], 1)
	}
	return s
}

// claims are signed with the head's own key: whoever signs for a site may make mistakes, and whoever has stolen the key
// must not get further by being odd.
func claims(h *head, f forged) {
	add := func(row string, payloads map[string]string) {
		for what, p := range payloads {
			payloads[what] = h.sign(plain, p)
		}
		f.add(row, payloads)
	}
	sub := func(v string) string { return `{"sub":` + v + `,"exp":` + at(60) + `}` }
	exp := func(v string) string { return `{"sub":"` + victim + `","exp":` + v + `}` }
	add("duplicate claims at each level", map[string]string{
		"sub": sub(`"nobody","sub":"` + victim + `"`), "escaped": sub(`"nobody","s\u0075b":"` + victim + `"`), "exp": exp(at(-5) + `,"exp":` + at(60)),
		"unknown": foreign(`"x":1`, `"x":1`), "in act": foreign(`"act":{"sub":"a","sub":"b"}`), "nested": foreign(`"x":{"y":{"z":1,"z":2}}`),
		"in a list": foreign(`"x":[{"y":1,"y":1}]`), "roles": foreign(`"roles":["user"]`, `"roles":["admin"]`), "jti": foreign(`"jti":"a"`, `"jti":"b"`),
		"empty name": foreign(`"":1`, `"":2`),
	})
	add("case-changed names", map[string]string{
		"Sub": foreign(`"Sub":"root"`), "SUB": `{"SUB":"` + victim + `","exp":` + at(60) + `}`, "EXP": `{"sub":"` + victim + `","EXP":` + at(60) + `}`,
		"Exp beside": foreign(`"Exp":1`), "Roles": foreign(`"Roles":["admin"]`), "Kelvin sign": foreign(`"` + "\u212aind" + `":"access"`), "long s": foreign(`"` + "\u017fub" + `":"root"`),
	})
	add("sub", map[string]string{
		"number": sub(`1`), "array": sub(`["` + victim + `"]`), "object": sub(`{"$ne":""}`), "null": sub(`null`), "true": sub(`true`), "empty": sub(`""`),
		"64 KiB": sub(`"` + strings.Repeat("v", 64<<10) + `"`), "5 KiB": sub(`"` + strings.Repeat("v", 5<<10) + `"`), "NUL": sub(`"` + victim + `\u0000"`),
		"RTL": sub(`"\u202emitciv"`), "confusable": sub(`"v` + "\u0456" + `ctim"`), "upper case": sub(`"VICTIM"`), "blank": sub(`"` + victim + ` "`), "newline": sub(`"` + victim + `\n"`),
		"zero width": sub(`"vic\u200btim"`), "SQL": sub(`"' OR 1=1 --"`), "wildcard": sub(`"%"`), "decomposed": sub(`"vi\u0301ctim"`), "path": sub(`"../` + victim + `"`), "unknown": sub(`"nobody"`),
	})
	add("exp", map[string]string{
		"missing": `{"sub":"` + victim + `"}`, "null": exp(`null`), "string": exp(`"` + at(60) + `"`), "float": exp(at(60) + `.5`), "integral float": exp(at(60) + `.0`),
		"0": exp(`0`), "-0": exp(`-0`), "negative": exp(`-1`), "1e308": exp(`1e308`), "1e999": exp(`1e999`), "2^53+1": exp(`9007199254740993`), "2^63": exp(`9223372036854775808`),
		"2^64 + now": exp(`18446744073709551616`), "exponent": exp(`2e9`), "true": exp(`true`), "array": exp(`[` + at(60) + `]`), "object": exp(`{}`), "hex": exp(`0x7fffffff`),
		"leading zero": exp(`0` + at(60)), "plus": exp(`+` + at(60)), "NaN": exp(`NaN`), "Infinity": exp(`Infinity`), "year 10000": exp(`253402300800`),
		"now - 1": exp(at(-1)), "now": exp(at(0)), "within the leeway": exp(at(-29)),
	})
	add("nbf and iat", map[string]string{
		"nbf over the leeway": foreign(`"nbf":` + at(31)), "iat over the leeway": foreign(`"iat":` + at(31)), "nbf far": foreign(`"nbf":` + at(86400)), "nbf string": foreign(`"nbf":"0"`),
		"nbf null": foreign(`"nbf":null`), "iat float": foreign(`"iat":1.5`), "nbf after exp": `{"sub":"` + victim + `","exp":` + at(5) + `,"nbf":` + at(6) + `}`, "iat negative": foreign(`"iat":-1`),
	})
	add("aud", map[string]string{
		"other": foreign(`"aud":"cc-metric-store"`), "empty": foreign(`"aud":""`), "empty list": foreign(`"aud":[]`), "list of others": foreign(`"aud":["a","b"]`), "prefix": foreign(`"aud":"bridgehea"`),
		"longer": foreign(`"aud":"bridgehead-2"`), "case": foreign(`"aud":"Bridgehead"`), "blank": foreign(`"aud":"bridgehead "`), "null": foreign(`"aud":null`), "number": foreign(`"aud":1`),
		"mixed list": foreign(`"aud":["bridgehead",1]`), "object": foreign(`"aud":{"bridgehead":1}`), "ours without": h.ours(`"aud":"bridgehead",`, ``), "ours for another": h.ours(`"aud":"bridgehead"`, `"aud":"other"`),
	})
	add("iss", map[string]string{
		"other": foreign(`"iss":"other"`), "trailing slash": foreign(`"iss":"bridgehead/"`), "empty": foreign(`"iss":""`), "list": foreign(`"iss":["bridgehead"]`), "null": foreign(`"iss":null`),
		"case": foreign(`"iss":"Bridgehead"`), "longer": h.ours(`"iss":"bridgehead"`, `"iss":"bridgehead-2"`),
		// A token of ours without its issuer would be a foreign one, which is not asked for all that ours have.
		"ours alone": foreign(`"iss":"bridgehead"`),
	})
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf(`"r%d"`, i)
	}
	add("roles", map[string]string{
		"string": foreign(`"roles":"admin"`), "object": foreign(`"roles":{"admin":true}`), "null": foreign(`"roles":null`), "duplicate": foreign(`"roles":["admin","admin"]`),
		"numbers": foreign(`"roles":[1]`), "nested": foreign(`"roles":[["admin"]]`), "10 k entries": foreign(`"roles":[` + strings.Join(many, ",") + `]`), "500 entries": foreign(`"roles":[` + strings.Join(many[:500], ",") + `]`),
	})
	add("act", map[string]string{
		"string": foreign(`"act":"root"`), "empty": foreign(`"act":{}`), "null": foreign(`"act":null`), "list": foreign(`"act":[{"sub":"root"}]`), "number": foreign(`"act":{"sub":1}`),
		"impersonation without": h.ours(`"service"`, `"impersonation"`),
	})
	add("act loops", map[string]string{
		"loop":  foreign(`"act":{"sub":"a","act":{"sub":"` + victim + `"}}`),
		"deep":  foreign(`"act":` + strings.Repeat(`{"sub":"a","act":`, 20) + `{"sub":"a"}` + strings.Repeat(`}`, 20)),
		"in it": h.ours(`"kind":"service"`, `"kind":"impersonation","act":{"sub":"`+victim+`","uid":"`+h.victim+`","jti":"x","act":{"sub":"root"}}`),
	})
	add("JSON of depth 10 k", map[string]string{
		"lists": foreign(`"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), "objects": foreign(`"x":` + strings.Repeat(`{"a":`, 2_000) + `1` + strings.Repeat("}", 2_000)),
		"2 k": foreign(`"x":` + strings.Repeat("[", 2_000) + strings.Repeat("]", 2_000)), "open": foreign(`"x":` + strings.Repeat("[", 3_000)),
	})
	add("invalid UTF-8", map[string]string{
		"sub": sub("\"\xff\""), "overlong": sub("\"\xc0\xafvictim\""), "half a surrogate": sub(`"\ud800"`), "unknown claim": foreign("\"x\":\"\xfe\""), "name": foreign("\"\xff\":1"),
	})
	add("BOM", map[string]string{"payload": "\ufeff" + foreign(), "UTF-16": "\xff\xfe{\x00}\x00"})
	f["BOM"]["header"] = h.sign("\ufeff"+plain, foreign())
	add("not an object", map[string]string{
		"empty": ``, "list": `[]`, "string": `"` + victim + `"`, "two": foreign() + foreign(), "cut": foreign()[:20], "comma": `{"sub":"` + victim + `",}`, "comment": `/**/` + foreign(),
		"single quotes": `{'sub':'` + victim + `'}`,
	})
}
