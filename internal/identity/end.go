package identity

// ending says what ends when before becomes after. A new password ends every login that the old one opened. Who is
// disabled loses all that he has or has issued, and does not get it back when he is enabled again. Who may no longer
// administer users can no longer answer for the tokens that he has issued.
//
// Milder demotions revoke nothing: whether an actor may still act as the user is asked at every use of a token.
func (s *Service) ending(before, after User) End {
	if after.Disabled && !before.Disabled {
		return End{Logins: true, Own: true, Issued: true}
	}
	table := s.Roles()
	return End{
		Logins: before.Password != after.Password,
		Issued: table.administers(before.Roles) && !table.administers(after.Roles),
	}
}

// administers reports whether the roles give AdminsWrite.
func (t *Roles) administers(roles []Role) bool {
	has, _ := t.Effective(roles)
	return has.Has(AdminsWrite)
}

// OnRevoke has f called with the ids of the tokens that a change of a user or a role has revoked, after they are revoked in the
// store and before the change returns. It is how a token service, which keeps the revoked ids in memory, learns of
// them. f must not call the service.
func (s *Service) OnRevoke(f func(ids []string)) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.onRevoke = append(s.onRevoke, f)
}

// tellRevoked needs writing.
func (s *Service) tellRevoked(ids []string) {
	if len(ids) == 0 {
		return
	}
	for _, f := range s.onRevoke {
		f(ids)
	}
}
