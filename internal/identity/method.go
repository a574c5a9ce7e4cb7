package identity

// ViaSSH is a signature with one of the user's SSH keys, of which another credential comes.
const ViaSSH Via = "ssh"

// ViaOIDC and ViaJWT are the word of another system that a user has logged in there.
const (
	ViaOIDC Via = "oidc"
	ViaJWT  Via = "jwt"
)

// Method says how a user from this source logs in, for lists of sessions: "password", "ldap", "jwt" or "oidc".
func (s AuthSource) Method() string {
	switch s {
	case AuthLDAP:
		return "ldap"
	case AuthToken:
		return "jwt"
	case AuthOIDC:
		return "oidc"
	case AuthLocal:
	}
	return "password"
}

// System is the caller for what a part of this program does by itself, such as a directory's users being taken over. The
// trail names the part.
func System(part string) Caller {
	return Caller{User: User{Name: part}, Via: ViaSystem, Permissions: All(), HandsOn: All()}
}

// ViaSystem is this program itself.
const ViaSystem Via = "system"

// ViaBus is a message on a bus. It carries no credential: whoever may publish on the subject is trusted.
const ViaBus Via = "bus"

// Bus is the caller for messages that come on a subject: they may do what the configuration lets them, in these clusters;
// nil is all of them. The trail names the subject as where they come from.
func Bus(subject string, may Set, clusters []string) Caller {
	return Caller{User: User{Name: "nats"}, Via: ViaBus, Permissions: may, Clusters: clusters, Addr: subject}
}
