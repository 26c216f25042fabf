// The people of __NAME__: the part to replace. It answers two questions, and says so when it can't.
//
// Here they stand in a file, people.toml, as `idbridge plugin people` writes one.

package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/unicode/norm"

	"example.com/__NAME__/pb"
)

// Source is what is asked. An answer is a user or a rejection; of a look-up, also neither, which is nobody. An error is
// neither yes nor no: return one whenever the answer isn't known, since an outage is never a no.
type Source interface {
	CheckPassword(ctx context.Context, login, password string) (Answer, error)
	FindByEmail(ctx context.Context, email string) (Answer, error)
}

// Answer is one of the two, or nobody.
//
// Of a user, the id is stable for ever: no login and no address, which change hands. EmailVerified is never true without
// evidence; leave it out if it isn't known.
type Answer struct {
	User      *pb.User
	Rejection pb.RejectionReason
}

// CouldNotFindOut is an error with a reason. Any other is a bug.
type CouldNotFindOut struct {
	Reason string // a key of statuses in plugin.go
	Wait   int64  // seconds, where the upstream has said so
}

func (problem CouldNotFindOut) Error() string { return problem.Reason }

// People are a Source in memory.
type People struct {
	People []person `toml:"people"`
}

type person struct {
	ID              string  `toml:"id"`
	Login           string  `toml:"login"`
	Email           string  `toml:"email"`
	EmailVerified   *bool   `toml:"email_verified"`
	Name            *string `toml:"name"`
	GivenName       *string `toml:"given_name"`
	FamilyName      *string `toml:"family_name"`
	Password        *string `toml:"password"`
	Status          string  `toml:"status"`
	SecondFactor    bool    `toml:"second_factor"`
	PasswordExpired bool    `toml:"password_expired"`
}

var rejections = map[string]pb.RejectionReason{
	"denied":      pb.RejectionReason_REJECTION_REASON_DENIED_BY_POLICY,
	"disabled":    pb.RejectionReason_REJECTION_REASON_ACCOUNT_DISABLED,
	"inactive":    pb.RejectionReason_REJECTION_REASON_ACCOUNT_INACTIVE,
	"locked":      pb.RejectionReason_REJECTION_REASON_ACCOUNT_LOCKED,
	"no_password": pb.RejectionReason_REJECTION_REASON_NO_PASSWORD,
}

func readPeople(path string) (*People, error) {
	var people People
	_, err := toml.DecodeFile(path, &people)
	return &people, err
}

// CheckPassword tries the password once, whatever fails.
func (people *People) CheckPassword(_ context.Context, login, password string) (Answer, error) {
	for _, one := range people.People {
		if !same(one.Login, login) {
			continue
		}
		switch {
		case one.Password == nil:
			return Answer{Rejection: pb.RejectionReason_REJECTION_REASON_NO_PASSWORD}, nil
		case !equal(*one.Password, password):
			return Answer{Rejection: pb.RejectionReason_REJECTION_REASON_WRONG_PASSWORD}, nil
		case one.PasswordExpired:
			return Answer{Rejection: pb.RejectionReason_REJECTION_REASON_PASSWORD_EXPIRED}, nil
		}
		return admitted(one)
	}
	return Answer{Rejection: pb.RejectionReason_REJECTION_REASON_UNKNOWN_USER}, nil
}

// FindByEmail asks for the e-mail: a login that looks like it proves nothing.
func (people *People) FindByEmail(_ context.Context, email string) (Answer, error) {
	var found []person
	for _, one := range people.People {
		if same(one.Email, email) {
			found = append(found, one)
		}
	}
	switch len(found) {
	case 0:
		return Answer{}, nil
	case 1:
		return admitted(found[0])
	}
	return Answer{}, CouldNotFindOut{Reason: "AMBIGUOUS_USER"}
}

// The same at log-ins and look-ups: who may not log in may not come in by a password reset either.
func admitted(one person) (Answer, error) {
	if one.Status != "" && one.Status != "active" {
		rejection, known := rejections[one.Status]
		if !known {
			return Answer{}, CouldNotFindOut{Reason: "SOURCE_PROTOCOL"}
		}
		return Answer{Rejection: rejection}, nil
	}
	if one.SecondFactor {
		return Answer{Rejection: pb.RejectionReason_REJECTION_REASON_SECOND_FACTOR_REQUIRED}, nil
	}
	return Answer{User: &pb.User{
		Id:              one.ID,
		Login:           one.Login,
		Email:           one.Email,
		EmailVerified:   one.EmailVerified,
		Name:            one.Name,
		GivenName:       one.GivenName,
		FamilyName:      one.FamilyName,
		PasswordExpired: one.PasswordExpired,
	}}, nil
}

// As idbridge compares identifiers: the same letters however they are composed (NFC), ASCII in either case.
func same(one, other string) bool { return folded(one) == folded(other) }

func folded(text string) string {
	lower := func(letter rune) rune {
		if 'A' <= letter && letter <= 'Z' {
			return letter + 'a' - 'A'
		}
		return letter
	}
	return strings.Map(lower, norm.NFC.String(text))
}

// equal takes as long however much of it is right.
func equal(one, other string) bool {
	first, second := sha256.Sum256([]byte(one)), sha256.Sum256([]byte(other))
	return subtle.ConstantTimeCompare(first[:], second[:]) == 1
}
