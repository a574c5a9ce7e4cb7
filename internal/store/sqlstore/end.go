package sqlstore

import (
	"context"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// endCredentials ends what end says of a user's credentials, in the transaction of the change that they end with. It
// returns the ids of the tokens that it revoked, and adds to the record how many tokens and sessions these were.
func endCredentials(ctx context.Context, c conn, id identity.UserID, end identity.End, rec *audit.Record) ([]string, error) {
	which, args := endedTokens(id, end)
	if which == "" {
		return nil, nil
	}
	w := &where{}
	w.and(`(`+which+`)`, args...)
	w.and(tokenLives, micros(rec.Time))
	revoked, err := revokeTokens(ctx, c, w, *rec)
	if err != nil {
		return nil, err
	}
	addDetail(rec, "tokens_revoked", strconv.Itoa(len(revoked)))
	// Whoever acts as somebody else does so by his own login, which ends here, or by a right that he has lost.
	conds, ids := `actor_id = ?`, []any{id}
	if end.Logins || end.Own {
		conds, ids = conds+` OR user_id = ?`, append(ids, id)
	}
	ended, err := c.exec(ctx, `DELETE FROM sessions WHERE `+conds, ids...)
	if err != nil {
		return nil, err
	}
	if ended > 0 || end.Logins || end.Own {
		addDetail(rec, "sessions_ended", strconv.FormatInt(ended, 10))
	}
	return revoked, nil
}

// endedTokens returns the condition of the tokens that end, "" when there are none.
func endedTokens(id identity.UserID, end identity.End) (cond string, args []any) {
	var conds []string
	switch {
	case end.Own:
		conds, args = append(conds, `user_id = ?`), append(args, id)
	case end.Logins:
		conds, args = append(conds, `user_id = ? AND kind IN (?, ?)`), append(args, id, token.KindAccess, token.KindRefresh)
	}
	if end.Issued {
		conds, args = append(conds, `issuer_id = ? AND user_id <> ?`), append(args, id, id)
	}
	return strings.Join(conds, " OR "), args
}

// unlessFailed returns no ids of a change that did not happen.
func unlessFailed(ids []string, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return ids, nil
}
