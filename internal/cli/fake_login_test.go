package cli_test

import (
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bridgehead-hpc/bridgehead/internal/sshsig"
)

// loginRoutes is logins with the SSH keys in the accounts, and second factors.
func (h *fakeHead) loginRoutes(route func(pattern string, f func(r *http.Request, user string, body map[string]any) any)) {
	route("POST /api/v1/login/ssh/challenge", func(*http.Request, string, map[string]any) any {
		return map[string]any{"head": "head0", "nonce": "n0nce", "expires": 1}
	})
	route("POST /api/v1/login/ssh", func(_ *http.Request, _ string, body map[string]any) any {
		name, _ := body["username"].(string)
		text, _ := body["signature"].(string)
		keys, _ := h.admins[name]["keys"].([]string)
		for _, line := range keys {
			key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
			sig, bad := sshsig.Parse(text)
			if err == nil && bad == nil && body["nonce"] == "n0nce" && sshsig.Verify(key, sshsig.Message("head0", name, "n0nce"), sig) == nil {
				return h.mint(name, name, time.Hour)
			}
		}
		return failure{401, "the user, the challenge or the signature is not good"}
	})
	const one = "/api/v1/admin/{id}/totp"
	route("GET "+one, func(r *http.Request, _ string, _ map[string]any) any {
		return map[string]any{"enabled": h.codes[r.PathValue("id")] != "", "pending": false, "recovery_left": 10}
	})
	route("POST "+one, func(*http.Request, string, map[string]any) any {
		return map[string]any{"secret": "JBSWY3DPEHPK3PXP", "uri": "otpauth://totp/x", "qr": "data:"}
	})
	route("POST "+one+"/confirm", func(r *http.Request, _ string, body map[string]any) any {
		code, _ := body["code"].(string)
		if strings.Trim(code, "0123456789") != "" || code == "" {
			return failure{400, "the code is not what the generator shows now"}
		}
		h.codes[r.PathValue("id")] = code
		return map[string]any{"recovery_codes": []string{"aaaa-bbbb-cccc-dddd", "eeee-ffff-gggg-hhhh"}}
	})
	route("DELETE "+one, func(r *http.Request, user string, body map[string]any) any {
		id := r.PathValue("id")
		if id == user && body["code"] != h.codes[id] {
			return failure{400, "a one-time code or the password is required to remove the second factor"}
		}
		delete(h.codes, id)
		return true
	})
}
