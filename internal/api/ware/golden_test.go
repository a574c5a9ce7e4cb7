package ware_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

var update = flag.Bool("update", false, "write the golden files")

// step is a call whose whole reply is recorded in testdata/golden, and the status that it has to have in any case.
type step struct {
	name   string
	status int
	call
}

// tour goes through every route in one world. Later steps see what earlier ones did.
var tour = []step{
	{"cluster-time", 200, call{"GET", "/api/v1/cluster/time", "", "", ""}},
	{"cluster", 200, call{"GET", "/api/v1/cluster", "boss", "", ""}},
	{"cluster-as-nobody", 401, call{"GET", "/api/v1/cluster", "", "", ""}},
	{"cluster-default-group", 200, call{"PATCH", "/api/v1/cluster", "boss", `{"default_group": "DefaultAttribs"}`, ""}},
	{"cluster-default-group-unknown", 404, call{"PATCH", "/api/v1/cluster", "boss", `{"default_group": "nope"}`, ""}},

	{"audit", 200, call{"GET", "/api/v1/audit?object=user/boss&action=user.&outcome=done&since=1d", "boss", "", ""}},
	{"audit-own", 200, call{"GET", "/api/v1/audit", "reader", "", ""}},
	{"audit-of-other", 403, call{"GET", "/api/v1/audit?who=boss", "reader", "", ""}},
	{"audit-no-access", 403, call{"GET", "/api/v1/audit", "locked", "", ""}},
	{"audit-bad-time", 400, call{"GET", "/api/v1/audit?since=soon", "boss", "", ""}},
	{"audit-bad-limit", 400, call{"GET", "/api/v1/audit?limit=5000", "boss", "", ""}},
	{"audit-bad-outcome", 400, call{"GET", "/api/v1/audit?outcome=perhaps", "boss", "", ""}},
	{"audit-bad-format", 400, call{"GET", "/api/v1/audit?format=xml", "boss", "", ""}},
	{"audit-bad-wait", 400, call{"GET", "/api/v1/audit?after=0&wait=soon", "boss", "", ""}},
	{"audit-wait-without-after", 400, call{"GET", "/api/v1/audit?wait=1s", "boss", "", ""}},
	{"audit-two-names", 400, call{"GET", "/api/v1/audit?who=boss&user=reader", "boss", "", ""}},
	{"audit-head", 200, call{"GET", "/api/v1/audit/head", "boss", "", ""}},
	{"audit-head-denied", 403, call{"GET", "/api/v1/audit/head", "reader", "", ""}},
	{"audit-verify", 200, call{"GET", "/api/v1/audit/verify", "boss", "", ""}},
	{"audit-verify-half-a-head", 400, call{"GET", "/api/v1/audit/verify?seq=3", "boss", "", ""}},
	{"audit-verify-denied", 403, call{"GET", "/api/v1/audit/verify", "onsite", "", ""}},

	{"login-methods", 200, call{"GET", "/api/v1/login/methods", "", "", ""}},
	{"login-ssh-challenge", 200, call{"POST", "/api/v1/login/ssh/challenge", "", `{"username": "nobody", "fingerprint": "SHA256:AAAA"}`, ""}},
	{"login-ssh-challenge-empty", 400, call{"POST", "/api/v1/login/ssh/challenge", "", `{"username": "nobody"}`, ""}},
	{"login-ssh-refused", 401, call{"POST", "/api/v1/login/ssh", "", `{"username": "nobody", "nonce": "x", "signature": "x"}`, ""}},
	{"admins-totp", 200, call{"GET", "/api/v1/admins/totp", "manager", "", ""}},
	{"totp", 200, call{"GET", "/api/v1/admin/reader/totp", "reader", "", ""}},
	{"totp-of-other", 403, call{"GET", "/api/v1/admin/boss/totp", "reader", "", ""}},
	{"totp-begin", 200, call{"POST", "/api/v1/admin/reader/totp", "reader", "", ""}},
	{"totp-begin-for-other", 403, call{"POST", "/api/v1/admin/reader/totp", "boss", "", ""}},
	{"totp-confirm-wrong", 400, call{"POST", "/api/v1/admin/reader/totp/confirm", "reader", `{"code": "x"}`, ""}},
	{"totp-delete", 200, call{"DELETE", "/api/v1/admin/reader/totp", "reader", "", ""}},
	{"totp-delete-none", 404, call{"DELETE", "/api/v1/admin/reader/totp", "boss", "", ""}},

	{"whoami-service-token", 200, call{"GET", "/api/v1/whoami", "reader", "", ""}},
	{"whoami-session", 200, call{"GET", "/api/v1/whoami", "session of manager", "", ""}},
	{"whoami-no-access", 200, call{"GET", "/api/v1/whoami", "locked", "", ""}},
	{"roles", 200, call{"GET", "/api/v1/roles", "reader", "", ""}},
	{"roles-meta", 200, call{"GET", "/api/v1/roles/meta", "reader", "", ""}},
	{"role", 200, call{"GET", "/api/v1/role/role.Manager", "reader", "", ""}},
	{"role-unknown", 404, call{"GET", "/api/v1/role/role.King", "reader", "", ""}},
	{"role-create", 200, call{"POST", "/api/v1/roles", "manager", `{"name": "role.NightShift", "permissions": ["NodesPowerControl"], "nodes": "n[1-16]", "max_lifetime": "8h"}`, ""}},
	{"role-create-twice", 409, call{"POST", "/api/v1/roles", "manager", `{"name": "role.Nightshift"}`, ""}},
	{"role-create-reserved", 409, call{"POST", "/api/v1/roles", "boss", `{"name": "role.Fulladmin"}`, ""}},
	{"role-create-name", 400, call{"POST", "/api/v1/roles", "boss", `{"name": "superuser"}`, ""}},
	{"role-create-stronger", 403, call{"POST", "/api/v1/roles", "manager", `{"name": "role.King", "permissions": "ClusterWrite,NodesRead"}`, ""}},
	{"role-create-stronger-delegate", 403, call{"POST", "/api/v1/roles", "manager", `{"name": "role.King", "delegates": "ClusterWrite"}`, ""}},
	{"role-create-unknown-permission", 400, call{"POST", "/api/v1/roles", "boss", `{"name": "role.King", "permissions": "RuleTheWorld"}`, ""}},
	{"role-create-bad-nodes", 400, call{"POST", "/api/v1/roles", "boss", `{"name": "role.King", "nodes": "n[1-"}`, ""}},
	{"role-create-denied", 403, call{"POST", "/api/v1/roles", "production", `{"name": "role.King"}`, ""}},
	{"role-patch", 200, call{"PATCH", "/api/v1/role/role.NightShift", "manager", `{"permissions": "NodesPowerControl, NodesWrite", "delegates": [], "max_lifetime": 3600}`, ""}},
	{"role-patch-rename", 400, call{"PATCH", "/api/v1/role/role.NightShift", "boss", `{"name": "role.FullAdmin"}`, ""}},
	{"role-patch-unknown", 404, call{"PATCH", "/api/v1/role/role.King", "boss", `{}`, ""}},
	{"role-patch-fixed", 409, call{"PATCH", "/api/v1/role/role.FullAdmin", "boss", `{"permissions": []}`, ""}},
	{"role-patch-own", 403, call{"PATCH", "/api/v1/role/role.AuthUser", "manager", `{"permissions": ["NodesWrite"]}`, ""}},
	{"role-put", 200, call{"PUT", "/api/v1/role/role.NightShift", "manager", `{"uid": "role.NightShift", "name": "role.NightShift", "description": "after hours", "system": false, "permissions": ["NodesRead"], "max_lifetime": 0}`, ""}},
	{"role-patch-system", 200, call{"PATCH", "/api/v1/role/role.AuthUser", "boss", `{"description": "ours"}`, ""}},
	{"role-delete-system", 200, call{"DELETE", "/api/v1/role/role.AuthUser", "boss", "", ""}},
	{"role-delete-system-unchanged", 409, call{"DELETE", "/api/v1/role/role.AuthUser", "boss", "", ""}},
	{"role-give", 200, call{"PATCH", "/api/v1/admin/reader", "manager", `{"add_roles": "role.NightShift"}`, ""}},
	{"role-delete-held", 409, call{"DELETE", "/api/v1/role/role.NightShift", "manager", "", ""}},
	{"role-take", 200, call{"PATCH", "/api/v1/admin/reader", "manager", `{"remove_roles": ["role.NightShift"]}`, ""}},
	{"role-delete", 200, call{"DELETE", "/api/v1/role/role.NightShift", "manager", "", ""}},
	{"role-delete-unknown", 404, call{"DELETE", "/api/v1/role/role.NightShift", "manager", "", ""}},

	{"admins-meta", 200, call{"GET", "/api/v1/admins/meta", "manager", "", ""}},
	{"admin-create", 200, call{"POST", "/api/v1/admins", "manager", `{"name": "ProdEng", "roles": "role.ProductionEngineer", "keys": "ssh-ed25519 AAAA a, b"}`, ""}},
	{"admin-create-empty-roles", 200, call{"POST", "/api/v1/admins", "manager", `{"name": "Plain", "roles": []}`, ""}},
	{"admin-empty-roles", 200, call{"GET", "/api/v1/admin/Plain", "manager", "", ""}},
	{"admin-delete-empty-roles", 200, call{"DELETE", "/api/v1/admin/Plain", "manager", "", ""}},
	{"admin-create-twice", 409, call{"POST", "/api/v1/admins", "manager", `{"name": "ProdEng", "roles": ["role.AuthUser"]}`, ""}},
	{"admin-create-stronger", 403, call{"POST", "/api/v1/admins", "manager", `{"name": "King", "roles": ["role.FullAdmin"]}`, ""}},
	{"admin-create-unknown-role", 400, call{"POST", "/api/v1/admins", "boss", `{"name": "King", "roles": ["role.King"]}`, ""}},
	{"admin-create-unknown-field", 400, call{"POST", "/api/v1/admins", "boss", `{"name": "King", "gui_settings": {}}`, ""}},
	{"admin-create-denied", 403, call{"POST", "/api/v1/admins", "production", `{"name": "King"}`, ""}},
	{"admins-objects", 200, call{"GET", "/api/v1/admins?as=objects", "reader", "", ""}},
	{"admin", 200, call{"GET", "/api/v1/admin/ProdEng", "reader", "", ""}},
	{"admin-unknown", 404, call{"GET", "/api/v1/admin/nobody", "reader", "", ""}},
	{"admin-patch", 200, call{"PATCH", "/api/v1/admin/ProdEng", "manager", `{"description": "night shift", "disabled": true}`, ""}},
	{"admin-patch-rename", 400, call{"PATCH", "/api/v1/admin/ProdEng", "manager", `{"name": "Other"}`, ""}},
	{"admin-patch-self", 200, call{"PATCH", "/api/v1/admin/reader", "reader", `{"keys": ["ssh-ed25519 BBBB me"]}`, ""}},
	{"admin-patch-own-roles", 403, call{"PATCH", "/api/v1/admin/reader", "reader", `{"roles": ["role.FullAdmin"]}`, ""}},
	{"admin-put", 200, call{"PUT", "/api/v1/admin/ProdEng", "manager", `{"name": "ProdEng", "uid": "ignored", "roles": ["role.ProductionEngineer"], "last_login": null}`, ""}},
	{"admin-token", 200, call{"POST", "/api/v1/admin/ProdEng/token", "manager", `{"lifetime": "1d", "name": "night", "purpose": "test"}`, ""}},
	{"admin-token-lifespan-in-seconds", 200, call{"POST", "/api/v1/admin/ProdEng/token", "manager", `{"lifespan": 3600, "read_only": true, "permissions": "NodesRead,NodesWrite"}`, ""}},
	{"admin-token-self-default", 200, call{"POST", "/api/v1/admin/reader/token", "reader", "", ""}},
	{"admin-token-bad-lifetime", 400, call{"POST", "/api/v1/admin/ProdEng/token", "manager", `{"lifetime": "soon"}`, ""}},
	{"admin-token-two-lifetimes", 400, call{"POST", "/api/v1/admin/ProdEng/token", "manager", `{"lifetime": "1d", "lifespan": "2d"}`, ""}},
	{"admin-token-of-stronger", 403, call{"POST", "/api/v1/admin/boss/token", "manager", `{"lifetime": "1d"}`, ""}},
	{"admin-token-of-other", 403, call{"POST", "/api/v1/admin/ProdEng/token", "reader", `{"lifetime": "1d"}`, ""}},
	{"tokens", 200, call{"GET", "/api/v1/tokens", "reader", "", ""}},
	{"tokens-of", 200, call{"GET", "/api/v1/tokens?user=ProdEng&type=impersonation&limit=1", "manager", "", ""}},
	{"tokens-all-denied", 403, call{"GET", "/api/v1/tokens?all=1", "reader", "", ""}},
	{"tokens-limit", 400, call{"GET", "/api/v1/tokens?limit=0", "manager", "", ""}},
	{"sessions", 200, call{"GET", "/api/v1/sessions", "reader", "", ""}},
	{"sessions-of", 200, call{"GET", "/api/v1/sessions?user=reader", "manager", "", ""}},
	{"sessions-of-denied", 403, call{"GET", "/api/v1/sessions?user=production", "reader", "", ""}},
	{"sessions-of-nobody", 404, call{"GET", "/api/v1/sessions?user=nobody", "manager", "", ""}},
	{"session-end-unknown", 404, call{"DELETE", "/api/v1/session/0123456789abcdef", "manager", "", ""}},
	{"sessions-end-with-more", 400, call{"DELETE", "/api/v1/sessions", "reader", `{"only": "old ones"}`, ""}},
	{"sessions-end", 200, call{"DELETE", "/api/v1/sessions", "reader", "", ""}},
	{"sessions-end-of", 200, call{"DELETE", "/api/v1/sessions?user=reader", "manager", "", ""}},
	{"sessions-end-of-denied", 403, call{"DELETE", "/api/v1/sessions?user=manager", "reader", "", ""}},
	{"tokens-by-issuer", 200, call{"GET", "/api/v1/tokens?issuer=manager&state=any&text=NIGHT", "manager", "", ""}},
	{"tokens-by-issuer-denied", 403, call{"GET", "/api/v1/tokens?issuer=manager", "production", "", ""}},
	{"tokens-expiring", 200, call{"GET", "/api/v1/tokens?user=ProdEng&expiring=2h", "manager", "", ""}},
	{"tokens-state", 400, call{"GET", "/api/v1/tokens?state=well", "manager", "", ""}},
	{"tokens-key-denied", 403, call{"GET", "/api/v1/tokens?key=k1", "production", "", ""}},
	{"token-narrowed", 200, call{"POST", "/api/v1/admin/reader/token", "reader", `{"nodes": "n[0-3],login*", "cidr": ["192.0.2.0/24"], "clusters": "alpha", "lifetime": "2h"}`, ""}},
	{"token-bad-cidr", 400, call{"POST", "/api/v1/admin/reader/token", "reader", `{"cidr": "head0"}`, ""}},
	{"token-bad-nodes", 400, call{"POST", "/api/v1/admin/reader/token", "reader", `{"nodes": "n[1-"}`, ""}},
	{"token-unknown", 404, call{"GET", "/api/v1/token/nope", "manager", "", ""}},
	{"token-rename-unknown", 404, call{"PATCH", "/api/v1/token/nope", "manager", `{"name": "x"}`, ""}},
	{"tokens-revoke-nothing", 400, call{"POST", "/api/v1/tokens/revoke", "manager", `{}`, ""}},
	{"tokens-revoke-denied", 403, call{"POST", "/api/v1/tokens/revoke", "reader", `{"all": true, "dry_run": true}`, ""}},
	{"tokens-revoke-try", 200, call{"POST", "/api/v1/tokens/revoke", "manager", `{"user": "ProdEng", "dry_run": true}`, ""}},
	{"tokens-inspect-nothing", 200, call{"POST", "/api/v1/tokens/inspect", "reader", `{"token": "bhs_what is this"}`, ""}},
	{"tokens-inspect-foreign", 200, call{"POST", "/api/v1/tokens/inspect", "reader", `{"token": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."}`, ""}},
	{"token-revoke-unknown", 404, call{"DELETE", "/api/v1/token/nope", "manager", "", ""}},
	{"admin-delete", 200, call{"DELETE", "/api/v1/admin/ProdEng", "manager", "", ""}},
	{"admin-delete-unknown", 404, call{"DELETE", "/api/v1/admin/ProdEng", "manager", "", ""}},

	{"attribs-meta", 200, call{"GET", "/api/v1/attribs/meta", "reader", "", ""}},
	{"attrib-create", 200, call{"POST", "/api/v1/attribs", "production", `{"name": "gpu", "description": "with GPUs", "attributes": {"_boot_config": "GPUBoot", "gpus": 4}}`, ""}},
	{"attrib-create-nested", 400, call{"POST", "/api/v1/attribs", "production", `{"name": "bad", "attributes": {"a": {"b": 1}}}`, ""}},
	{"attrib-create-denied", 403, call{"POST", "/api/v1/attribs", "manager", `{"name": "bad"}`, ""}},
	{"attribs", 200, call{"GET", "/api/v1/attribs", "manager", "", ""}},
	{"attribs-hide-reserved", 200, call{"GET", "/api/v1/attribs?as=objects", "reader", "", ""}},
	{"attrib", 200, call{"GET", "/api/v1/attrib/gpu", "manager", "", ""}},
	{"attrib-alias", 200, call{"GET", "/api/v1/attribs/gpu", "manager", "", ""}},
	{"attrib-unknown", 404, call{"GET", "/api/v1/attrib/nope", "manager", "", ""}},
	{"attrib-patch", 200, call{"PATCH", "/api/v1/attrib/gpu", "production", `{"attributes": {"_boot_config": "GPUBoot"}}`, ""}},
	{"attrib-put", 200, call{"PUT", "/api/v1/attrib/gpu", "production", `{"name": "gpu", "default": false, "attributes": {"_boot_config": "GPUBoot", "gpus": "4"}}`, ""}},
	{"attrib-attributes", 200, call{"GET", "/api/v1/attrib/gpu/attributes", "manager", "", ""}},
	{"attrib-attributes-patch", 200, call{"PATCH", "/api/v1/attrib/gpu/attributes", "production", `{"cuda": true}`, ""}},
	{"attrib-attributes-put", 200, call{"PUT", "/api/v1/attrib/gpu/attributes", "production", `{"_boot_config": "GPUBoot", "cuda": "13"}`, ""}},
	{"attrib-attributes-delete", 200, call{"DELETE", "/api/v1/attrib/gpu/attributes", "production", `"cuda"`, ""}},
	{"attrib-attributes-delete-nothing", 400, call{"DELETE", "/api/v1/attrib/gpu/attributes", "production", `[]`, ""}},

	{"nodes-meta", 200, call{"GET", "/api/v1/nodes/meta", "reader", "", ""}},
	{"node-create", 200, call{"POST", "/api/v1/nodes", "production", `{"mac": "11-22-33-44-55-66", "index": 10, "attributes": {"slots": 2}, "groups": "gpu"}`, ""}},
	{"node-create-same-mac", 409, call{"POST", "/api/v1/nodes", "production", `{"mac": "1122.3344.5566"}`, ""}},
	{"node-create-without-mac", 400, call{"POST", "/api/v1/nodes", "production", `{}`, ""}},
	{"node-create-without-body", 400, call{"POST", "/api/v1/nodes", "production", ``, ""}},
	{"node-create-unknown-field", 400, call{"POST", "/api/v1/nodes", "production", `{"mac": "11:22:33:44:55:67", "colour": "red"}`, ""}},
	{"node-create-bad-type", 400, call{"POST", "/api/v1/nodes", "production", `{"mac": "11:22:33:44:55:67", "index": "ten"}`, ""}},
	{"node-create-denied", 403, call{"POST", "/api/v1/nodes", "manager", `{"mac": "11:22:33:44:55:67"}`, ""}},
	{"nodes", 200, call{"GET", "/api/v1/nodes", "manager", "", ""}},
	{"nodes-list", 200, call{"GET", "/api/v1/nodes?as=list", "manager", "", ""}},
	{"nodes-objects-of-cluster", 200, call{"GET", "/api/v1/nodes?as=objects&cluster=alpha", "manager", "", ""}},
	{"nodes-bad-shape", 400, call{"GET", "/api/v1/nodes?as=tree", "manager", "", ""}},
	{"nodes-unknown-parameter", 400, call{"GET", "/api/v1/nodes?colour=red", "manager", "", ""}},
	{"node", 200, call{"GET", "/api/v1/node/n10", "manager", "", ""}},
	{"node-hides-reserved", 200, call{"GET", "/api/v1/node/n1", "reader", "", ""}},
	{"node-unknown", 404, call{"GET", "/api/v1/node/n123", "reader", "", ""}},
	{"node-patch", 200, call{"PATCH", "/api/v1/node/n10", "onsite", `{"description": "spare", "index": 11}`, ""}},
	{"node-patch-read-only", 400, call{"PATCH", "/api/v1/node/n11", "onsite", `{"status": {"state": "up"}}`, ""}},
	{"node-patch-denied", 403, call{"PATCH", "/api/v1/node/n11", "manager", `{"description": "mine"}`, ""}},
	{"node-put", 200, call{"PUT", "/api/v1/node/n11", "production", `{"mac": "11:22:33:44:55:66", "ip": "10.0.0.21", "hardware": {}, "attributes": {}, "groups": ["gpu"]}`, ""}},
	{"node-attributes", 200, call{"GET", "/api/v1/node/n11/attributes", "manager", "", ""}},
	{"node-attributes-put", 200, call{"PUT", "/api/v1/node/n11/attributes", "production", `{"_boot_style": "rwram", "slots": 1.50}`, ""}},
	{"node-attributes-put-denied", 403, call{"PUT", "/api/v1/node/n11/attributes", "manager", `{"_boot_config": "GPUBoot"}`, ""}},
	{"node-attributes-put-bad-name", 400, call{"PUT", "/api/v1/node/n11/attributes", "production", `{"boot-style": "rwram"}`, ""}},
	{"node-attributes-put-null", 400, call{"PUT", "/api/v1/node/n11/attributes", "production", `{"rack": null}`, ""}},
	{"node-attributes-put-list", 400, call{"PUT", "/api/v1/node/n11/attributes", "production", `["rack"]`, ""}},
	{"node-attributes-patch", 200, call{"PATCH", "/api/v1/node/n11/attributes", "production", `{"_boot_config": "Mine"}`, ""}},
	{"node-attributes-explain", 200, call{"GET", "/api/v1/node/n11/attributes?explain=1", "manager", "", ""}},
	{"node-attributes-local", 200, call{"GET", "/api/v1/node/n11/attributes?scope=local", "manager", "", ""}},
	{"node-attributes-local-explain", 200, call{"GET", "/api/v1/node/n11/attributes?scope=local&explain=1", "reader", "", ""}},
	{"node-attributes-bad-scope", 400, call{"GET", "/api/v1/node/n11/attributes?scope=mine", "reader", "", ""}},
	{"node-attributes-delete", 200, call{"DELETE", "/api/v1/node/n11/attributes", "production", `["_boot_config", "never"]`, ""}},
	{"node-attributes-delete-nothing", 400, call{"DELETE", "/api/v1/node/n11/attributes", "production", `""`, ""}},
	{"node-attributes-delete-number", 400, call{"DELETE", "/api/v1/node/n11/attributes", "production", `7`, ""}},
	{"node-groups", 200, call{"GET", "/api/v1/node/n11/groups", "reader", "", ""}},
	{"node-groups-leave", 200, call{"DELETE", "/api/v1/node/n11/groups", "production", `"gpu"`, ""}},
	{"node-groups-join", 200, call{"POST", "/api/v1/node/n11/groups", "production", `["gpu"]`, ""}},
	{"node-groups-join-unknown", 404, call{"POST", "/api/v1/node/n11/groups", "production", `["nope"]`, ""}},
	{"node-groups-patch", 200, call{"PATCH", "/api/v1/node/n11/groups", "production", `[]`, ""}},
	{"node-groups-put", 200, call{"PUT", "/api/v1/node/n11/groups", "production", `"gpu"`, ""}},
	{"node-groups-put-denied", 403, call{"PUT", "/api/v1/node/n11/groups", "onsite", `"gpu"`, ""}},
	{"node-status", 200, call{"GET", "/api/v1/node/n11/status", "reader", "", ""}},
	{"node-hardware", 200, call{"GET", "/api/v1/node/n11/hardware", "reader", "", ""}},
	{"attrib-delete-used", 409, call{"DELETE", "/api/v1/attrib/gpu", "production", "", ""}},
	{"node-delete", 200, call{"DELETE", "/api/v1/node/11:22:33:44:55:66", "onsite", "", ""}},
	{"node-delete-unknown", 404, call{"DELETE", "/api/v1/node/n11", "onsite", "", ""}},
	{"attrib-delete", 200, call{"DELETE", "/api/v1/attrib/gpu", "production", "", ""}},

	{"keys", 200, call{"GET", "/api/v1/keys", "reader", "", ""}},
	{"keys-denied", 403, call{"GET", "/api/v1/keys", "locked", "", ""}},
	{"key", 200, call{"GET", "/api/v1/key/mUgzPMSCUIl032h7VzIH1UI883RdYSKOolzbkUHAuUU", "reader", "", ""}},
	{"key-unknown", 404, call{"GET", "/api/v1/key/nope", "reader", "", ""}},
	{"keys-rotate", 200, call{"POST", "/api/v1/keys/rotate", "boss", "", ""}},
	{"keys-rotate-with-body", 400, call{"POST", "/api/v1/keys/rotate", "boss", `{"now": false}`, ""}},
	{"keys-rotate-denied", 403, call{"POST", "/api/v1/keys/rotate", "manager", "", ""}},
	{"key-import", 200, call{"POST", "/api/v1/keys/import", "boss", `{"key": "bW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW2LI314jo6q71UMbRJYI/pF8f1fwpssiL34cRGUcfwTEg==", "as": "next"}`, ""}},
	{"key-import-twice", 409, call{"POST", "/api/v1/keys/import", "boss", `{"key": "bW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW2LI314jo6q71UMbRJYI/pF8f1fwpssiL34cRGUcfwTEg==", "as": "retired"}`, ""}},
	{"key-import-public-as-next", 400, call{"POST", "/api/v1/keys/import", "boss", `{"key": "AU5NkixZajgK38nu1yLoNYIvEjZ2FpPkurth4a+7BPE=", "as": "next"}`, ""}},
	{"key-import-active", 400, call{"POST", "/api/v1/keys/import", "boss", `{"key": "bW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW2LI314jo6q71UMbRJYI/pF8f1fwpssiL34cRGUcfwTEg==", "as": "active"}`, ""}},
	{"key-import-nonsense", 400, call{"POST", "/api/v1/keys/import", "boss", `{"key": "-----BEGIN CERTIFICATE-----", "as": "retired"}`, ""}},
	{"key-import-denied", 403, call{"POST", "/api/v1/keys/import", "manager", `{"key": "AU5NkixZajgK38nu1yLoNYIvEjZ2FpPkurth4a+7BPE=", "as": "retired"}`, ""}},
	{"key-remove-dry-run", 200, call{"DELETE", "/api/v1/key/mUgzPMSCUIl032h7VzIH1UI883RdYSKOolzbkUHAuUU?dry_run=true", "boss", "", ""}},
	{"key-remove-unconfirmed", 400, call{"DELETE", "/api/v1/key/mUgzPMSCUIl032h7VzIH1UI883RdYSKOolzbkUHAuUU", "boss", "", ""}},
	{"key-remove-denied", 403, call{"DELETE", "/api/v1/key/mUgzPMSCUIl032h7VzIH1UI883RdYSKOolzbkUHAuUU?confirm=true", "manager", "", ""}},
	{"key-remove", 200, call{"DELETE", "/api/v1/key/mUgzPMSCUIl032h7VzIH1UI883RdYSKOolzbkUHAuUU?confirm=true", "boss", "", ""}},
	{"key-remove-again", 404, call{"DELETE", "/api/v1/key/mUgzPMSCUIl032h7VzIH1UI883RdYSKOolzbkUHAuUU?confirm=true", "boss", "", ""}},

	{"login", 200, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "secret of reader"}`, ""}},
	{"login-alias-and-spelling", 200, call{"POST", "/api/v1/auth/login", "", `{"user": "reader", "passwd": "secret of reader"}`, "none"}},
	{"login-form", 200, call{"POST", "/api/v1/token", "", `username=reader&password=secret+of+reader`, ""}},
	{"login-wrong", 401, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "guess"}`, ""}},
	{"login-without-password", 400, call{"POST", "/api/v1/login", "", `{"username": "reader"}`, ""}},
	{"refresh-without-token", 401, call{"POST", "/api/v1/token/refresh", "", "", ""}},
	{"refresh-wrong-kind", 401, call{"POST", "/api/v1/refresh", "reader", "", ""}},
	{"logout-session", 400, call{"POST", "/api/v1/logout", "session of reader", "", ""}},
	{"logout", 200, call{"POST", "/api/v1/logout", "reader", "", ""}},
	{"logged-out", 401, call{"GET", "/api/v1/whoami", "reader", "", ""}},
	{"no-such-path", 404, call{"GET", "/api/v1/toasters", "boss", "", ""}},
	{"feature-not-there", 404, call{"GET", "/api/v1/images", "boss", "", ""}},
}

// elsewhere are the rows that serve the table itself; document_test.go looks at them.
var elsewhere = map[string]bool{
	"GET /api/v1/openapi.json": true, "GET /api/v1/docs": true, "GET /api/v1/docs.css": true,
}

func TestEveryRouteAnswersAsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.browser("reader")
	labels := &labels{world: w, known: map[string]string{}}
	for _, s := range tour {
		if strings.HasSuffix(s.path, "/token") {
			w.clock.Advance(time.Second) // lists show the newest first
		}
		labels.learn() // before: a step may delete what it shows
		a := w.do(s.call)
		labels.learn()
		if a.status != s.status {
			t.Errorf("%s: %s %s is %d, want %d: %s", s.name, s.method, s.path, a.status, s.status, a.text)
		}
		got := fmt.Sprintf("%s %s\n# as %s\n%s\n\n%d\n%s", s.method, s.path, s.as, s.body, a.status, labels.replace(a.text))
		compareGolden(t, filepath.Join("testdata", "golden", s.name+".txt"), got)
	}
}

func TestTheTourVisitsEveryRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mux := http.NewServeMux()
	left := map[string]bool{}
	for _, rt := range w.dialect.Routes {
		for _, m := range rt.Methods {
			row := m + " " + rt.Path
			left[row] = !elsewhere[row]
			for _, p := range append([]string{rt.Path}, rt.Aliases...) {
				mux.HandleFunc(m+" "+p, func(http.ResponseWriter, *http.Request) { left[row] = false })
			}
		}
	}
	for _, s := range tour {
		r, err := http.NewRequestWithContext(t.Context(), s.method, s.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	for row, missing := range left {
		if missing {
			t.Errorf("no step of the tour calls %s", row)
		}
	}
}

// labels puts names in the place of what is different each time.
type labels struct {
	*world
	known map[string]string // label by UID
}

// learn gives every record a label that has its name.
func (l *labels) learn() {
	l.t.Helper()
	nodes, err := l.nodes.List(l.t.Context(), command, node.Filter{})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, n := range nodes {
		l.label(string(n.UID), "uid of node ", n.MAC)
	}
	groups, err := l.nodes.ListGroups(l.t.Context(), command)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, g := range groups {
		l.label(string(g.UID), "uid of group ", g.Name)
	}
	users, err := l.users.List(l.t.Context(), command)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, u := range users {
		l.label(string(u.ID), "uid of user ", u.Name)
	}
	tokens, err := l.tokens.List(l.t.Context(), identity.Caller{Permissions: identity.All()}, token.Filter{})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, t := range tokens {
		l.label(t.ID, "jti of ", string(t.Kind)+" token of "+t.User)
		l.label(t.KeyID, "kid", "")
	}
	sessions, err := l.logins.List(l.t.Context(), identity.Caller{Permissions: identity.All()}, "")
	if err != nil {
		l.t.Fatal(err)
	}
	for _, s := range sessions {
		l.label(s.ID(), "id of ", "session of "+s.User)
	}
}

func (l *labels) label(uid, what, name string) {
	if l.known[uid] == "" {
		l.known[uid] = "<" + what + name + ">"
	}
}

var jwtForm = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// The hashes and the places of audit records depend on all that was written before.
var (
	chainForm = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	placeForm = regexp.MustCompile(`"(seq|walked)":\d+`)
	onceForm  = regexp.MustCompile(`"(nonce|secret|uri|qr)":"[^"]*"`)
	keyForm   = regexp.MustCompile(`"(kid|public|pem|jwk)":"([^"\\]|\\.)*"`)
)

// replace labels everything in a JSON text and sorts and indents it.
func (l *labels) replace(text []byte) []byte {
	l.t.Helper()
	for uid, label := range l.known {
		text = bytes.ReplaceAll(text, []byte(uid), []byte(label))
	}
	text = jwtForm.ReplaceAll(text, []byte("<jwt>"))
	text = chainForm.ReplaceAll(text, []byte("<hash>"))
	text = keyForm.ReplaceAll(text, []byte(`"$1":"<$1>"`))
	text = onceForm.ReplaceAll(text, []byte(`"$1":"<$1>"`))
	text = placeForm.ReplaceAll(text, []byte(`"$1":0`))
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		l.t.Fatalf("not JSON: %s", text)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		l.t.Fatal(err)
	}
	return out.Bytes()
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
