package server

import (
	"encoding/json"
	"fmt"
	"slices"
)

// flatKeys says where a key of the flat configuration of cc-backend 1.2 to 1.4 belongs today (contract clustercockpit
// 5.4), as section and key.
func flatKeys() map[string][2]string {
	keys := map[string][2]string{
		"apiAllowedIPs": {"main", "api-allowed-ips"}, "jwts": {"auth", "jwts"}, "ldap": {"auth", "ldap"},
		"oidc":              {"auth", "oidc"},
		"enable-resampling": {"main", "resampling"},
	}
	for _, same := range []string{
		"addr", "db", "user", "group", "disable-authentication", "embed-static-files", "static-files", "validate", "session-max-age",
		"https-cert-file", "https-key-file", "redirect-http-to", "machine-state-dir", "stop-jobs-exceeding-walltime",
		"short-running-jobs-duration", "emission-constant",
	} {
		keys[same] = [2]string{"main", same}
	}
	return keys
}

// todaysAuth returns section auth with the members of its sections as they are spelt today. Both spellings are around, in
// both kinds of file.
func todaysAuth(auth json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(auth, &members) != nil {
		return auth // the decoder says what is wrong with it
	}
	for _, name := range []string{"jwts", "ldap", "oidc"} {
		if raw, ok := members[name]; ok {
			members[name] = renamed(raw, oldAuthKeys())
		}
	}
	out, err := json.Marshal(members)
	if err != nil {
		return auth
	}
	return out
}

// oldAuthKeys are the members of the sections of auth whose spelling has changed.
func oldAuthKeys() map[string]string {
	return map[string]string{
		"cookieName": "cookie-name", "validateUser": "validate-user", "trustedIssuer": "trusted-issuer",
		"syncUserOnLogin": "sync-user-on-login", "updateUserOnLogin": "update-user-on-login",
		"user_base": "user-base", "search_dn": "search-dn", "user_bind": "user-bind", "user_filter": "user-filter",
		"username_attr": "username-attr", "uid_attr": "uid-attr", "sync_interval": "sync-interval",
		"sync_del_old_users": "sync-del-old-users", "sync_user_on_login": "sync-user-on-login",
		"update_user_on_login": "update-user-on-login",
	}
}

// isFlat reports whether a file without section main is one of the flat ones.
func isFlat(file map[string]json.RawMessage) bool {
	_, addr := file["addr"]
	_, clusters := file["clusters"]
	_, jwts := file["jwts"]
	_, ldap := file["ldap"]
	return addr || clusters || jwts || ldap
}

// fromFlat sorts the keys of a flat file into sections. The metric store is the embedded one: where clusters name a
// metricDataRepository, a note says that it is not asked.
func fromFlat(file map[string]json.RawMessage) (sections map[string]json.RawMessage, notes []string, err error) {
	sorted := map[string]map[string]json.RawMessage{"main": {}, "auth": {}}
	sections = map[string]json.RawMessage{}
	known := flatKeys()
	for key, value := range file {
		place, ok := known[key]
		switch {
		case ok:
			sorted[place[0]][place[1]] = value
		case key == "archive":
			sections["archive"] = value
		case key == "db-driver":
			if string(value) != `"sqlite3"` {
				return nil, nil, fmt.Errorf("db-driver %s is not supported; \"sqlite3\" is", value)
			}
		case key == "clusters":
			notes = append(notes, "clusters: samples are kept in the embedded metric store; no metricDataRepository is asked")
		default:
			notes = append(notes, key+" is not acted on by this version")
		}
	}
	for name, members := range sorted {
		if sections[name], err = json.Marshal(members); err != nil {
			return nil, nil, fmt.Errorf("sort configuration: %w", err)
		}
	}
	slices.Sort(notes)
	return sections, notes, nil
}

// renamed returns the object raw with other names for some members. What is no object is left for the decoder to refuse.
func renamed(raw json.RawMessage, names map[string]string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return raw
	}
	for from, to := range names {
		if v, ok := members[from]; ok {
			members[to] = v
			delete(members, from)
		}
	}
	out, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return out
}
