package node_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

func TestEveryFormOfAMACIsOneAddress(t *testing.T) {
	t.Parallel()
	const want = "0a:1b:2c:3d:4e:5f"
	for _, s := range []string{want, "0A:1B:2C:3D:4E:5F", "0a-1b-2c-3d-4e-5f", "0A1B.2C3D.4E5F", "0a1b2c3d4e5f", "0A1b2C3d4E5f"} {
		got, err := node.ParseMAC(s)
		if err != nil || got != want {
			t.Errorf("ParseMAC(%q) is %q, %v", s, got, err)
		}
	}
}

func TestWhatIsNoMACIsInvalid(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "n1", "0a:1b:2c:3d:4e", "0a:1b:2c:3d:4e:5f:60:71", "0a:1b:2c-3d:4e:5f", "0g:1b:2c:3d:4e:5f", " 0a:1b:2c:3d:4e:5f",
		"0a1b2c3d4e5", "0a1b2c3d4e5g", "00:00:00:00:00:00", "FF-FF-FF-FF-FF-FF",
	} {
		_, err := node.ParseMAC(s)
		wantFault(t, err, fault.Invalid, "MAC address")
	}
}

func FuzzMAC(f *testing.F) {
	for _, s := range []string{"11:22:33:44:55:66", "0A-1B-2C-3D-4E-5F", "0a1b.2c3d.4e5f", "0a1b2c3d4e5f", "00:00:00:00:00:00", "é:é:é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		mac, err := node.ParseMAC(s)
		if err != nil {
			return
		}
		if again, err := node.ParseMAC(mac); err != nil || again != mac {
			t.Errorf("%q reads as %q, which reads as %q, %v", s, mac, again, err)
		}
		digits := strings.NewReplacer(":", "", "-", "", ".", "").Replace(strings.ToLower(s))
		if strings.ReplaceAll(mac, ":", "") != digits {
			t.Errorf("%q reads as %q", s, mac)
		}
	})
}

func ExampleParseMAC() {
	mac, err := node.ParseMAC("08-00-27-F0-44-35")
	fmt.Println(mac, err)
	// Output: 08:00:27:f0:44:35 <nil>
}
