package identity

import "time"

// Standing is what a user may do at this moment, by the roles that he has in the database.
type Standing struct {
	User        User
	Permissions Set
	// HandsOn is what he may give to others; it includes Permissions, but nothing that he himself has on some nodes only.
	HandsOn Set
	// Limits are the nodes that his roles leave him for some permissions.
	Limits []NodeLimit
	// MaxLifetime caps the tokens that stand for him; 0 does not.
	MaxLifetime time.Duration
	// Enrols says that his roles ask for a second factor which he has not set up. He may do that and nothing else.
	Enrols bool
}

// Caller returns the user as a caller who came by via, with all that he may do.
func (s Standing) Caller(via Via) Caller {
	return Caller{User: s.User, Via: via, Permissions: s.Permissions, HandsOn: s.HandsOn, Limits: s.Limits, Enrols: s.Enrols}
}
