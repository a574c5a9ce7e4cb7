package node_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

func TestPatternMakesNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern string
		index   int
		want    string
	}{
		{"n{}", 0, "n0"},
		{"n{}", 128, "n128"},
		{"gpu{:03d}", 0, "gpu000"},
		{"gpu{:03d}", 12345, "gpu12345"},
		{"r{:d}", 7, "r7"},
		{"rack{:x}", 255, "rackff"},
		{"rack{:04x}", 255, "rack00ff"},
		{"n{}.cluster.local", 3, "n3.cluster.local"},
		{"r1n{}", 2, "r1n2"},
	} {
		p, err := node.ParsePattern(c.pattern)
		if err != nil {
			t.Errorf("ParsePattern(%q): %v", c.pattern, err)
			continue
		}
		if got := p.Format(c.index); got != c.want {
			t.Errorf("%s with %d is %s, want %s", c.pattern, c.index, got, c.want)
		}
		if got, ok := p.Parse(c.want); !ok || got != c.index {
			t.Errorf("%s reads %s as %d %t, want %d", c.pattern, c.want, got, ok, c.index)
		}
		if p.String() != c.pattern {
			t.Errorf("String is %q, want %q", p.String(), c.pattern)
		}
	}
}

func TestPatternWithoutOnePairOfBracesIsInvalid(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "n", "{}", "{:x}", "1n{}", "n{}{}", "n{", "n}", "n{:3d}", "n{:0d}", "n{:03}", "n{:03f}", "n{:099d}", "n {}", "n{}/x", "n{x}"} {
		_, err := node.ParsePattern(s)
		wantFault(t, err, fault.Invalid, "naming pattern")
	}
}

func TestPatternReadsOnlyItsOwnNames(t *testing.T) {
	t.Parallel()
	p, err := node.ParsePattern("gpu{:03d}x")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "gpu", "gpux", "gpu1x", "gpu0001x", "gpu-01x", "gpu+01x", "gpu001", "n001x", "gpu001x ", "gpu99999999999999999999x"} {
		if got, ok := p.Parse(name); ok {
			t.Errorf("%q is read as %d", name, got)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("n{}", "n12", 12)
	f.Add("gpu{:03d}", "gpu007", 7)
	f.Add("rack{:02x}.a", "rackff.a", 255)
	f.Add("n1{}0", "n110", 1)
	f.Add("n{:020d}", "n1", math.MaxInt)
	f.Fuzz(func(t *testing.T, text, name string, index int) {
		p, err := node.ParsePattern(text)
		if err != nil {
			return
		}
		if again, err := node.ParsePattern(p.String()); err != nil || again != p {
			t.Errorf("%q prints as %q, which reads as %+v %v", text, p.String(), again, err)
		}
		if i, ok := p.Parse(name); ok && p.Format(i) != name {
			t.Errorf("%q reads %q as %d, which is %q", text, name, i, p.Format(i))
		}
		if index >= 0 {
			if got, ok := p.Parse(p.Format(index)); !ok || got != index {
				t.Errorf("%q does not read its own name %q", text, p.Format(index))
			}
		}
	})
}

func ExampleParsePattern() {
	p, err := node.ParsePattern("gpu{:03d}")
	if err != nil {
		panic(err)
	}
	index, ok := p.Parse("gpu012")
	fmt.Println(p.Format(7), index, ok)
	// Output: gpu007 12 true
}
