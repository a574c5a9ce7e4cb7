package authn

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"image/png"
	"slices"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Enrolment is what a user needs to set up his generator. It is shown once.
type Enrolment struct {
	Secret string // base32
	URL    string // otpauth://, for generators
	QR     []byte // the same as a picture, PNG
}

const (
	period      = 30 // seconds of a step
	secretBytes = 20
	pixels      = 240
	// recoveryCodes is how many are made. Each has 80 random bits: whoever gets the hashes cannot find them by trying.
	recoveryCodes = 10
	recoveryBytes = 10
)

var codeOptions = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

func newEnrolment(issuer, account string) (e Enrolment, secret []byte, err error) {
	secret = make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: account, Period: period, Secret: secret, Digits: codeOptions.Digits, Algorithm: codeOptions.Algorithm,
	})
	if err != nil {
		return e, nil, fmt.Errorf("make second factor: %w", err)
	}
	picture, err := key.Image(pixels, pixels)
	if err != nil {
		return e, nil, fmt.Errorf("draw second factor: %w", err)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, picture); err != nil {
		return e, nil, fmt.Errorf("draw second factor: %w", err)
	}
	return Enrolment{Secret: key.Secret(), URL: key.URL(), QR: buf.Bytes()}, secret, nil
}

// step returns the time step that a code belongs to: now, or the one before or after, since clocks differ and people
// type slowly; 0 when it is none of these.
func (f *Factors) step(have identity.SecondFactor, code string) (int64, error) {
	secret, err := f.Box.Open(string(have.UserID), have.Secret)
	if err != nil {
		return 0, fmt.Errorf("open second factor: %w", err)
	}
	code = strings.ReplaceAll(code, " ", "")
	now, found := f.Clock.Now().Unix()/period, int64(0)
	for _, step := range []int64{now - 1, now, now + 1} {
		want, err := hotp.GenerateCodeCustom(base32.StdEncoding.EncodeToString(secret), uint64(step), codeOptions)
		if err != nil {
			return 0, fmt.Errorf("compute one-time code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	return found, nil
}

// use takes a code from the generator, or one of the recovery codes. Either is good once.
func (f *Factors) use(ctx context.Context, have identity.SecondFactor, try attempt) (good bool, err error) {
	if hash := recoveryHash(have.UserID, try.Code); slices.Contains(have.Recovery, hash) {
		rec := try.record(f.Clock.Now(), "factor.recovery")
		err = f.Store.TakeRecovery(ctx, have.UserID, hash, rec)
		return unlessTaken(err)
	}
	step, err := f.step(have, try.Code)
	if err != nil || step == 0 {
		return false, err
	}
	return unlessTaken(f.Store.TakeStep(ctx, have.UserID, step))
}

// unlessTaken makes a no of a code that somebody else was faster with.
func unlessTaken(err error) (bool, error) {
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// newRecovery returns recovery codes and their hashes.
func newRecovery(id identity.UserID) (codes, hashes []string) {
	for range recoveryCodes {
		b := make([]byte, recoveryBytes)
		_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
		text := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		code := strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-")
		codes, hashes = append(codes, code), append(hashes, recoveryHash(id, code))
	}
	return codes, hashes
}

// recoveryHash is under what a recovery code is stored. How it was typed does not matter.
func recoveryHash(id identity.UserID, code string) string {
	clean := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
	sum := sha256.Sum256([]byte("recovery " + string(id) + " " + clean))
	return hex.EncodeToString(sum[:])
}
