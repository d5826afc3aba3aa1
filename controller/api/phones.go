package api

import (
	"context"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/people"
)

// Phone is one that several officers share.
type Phone struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Area     string `json:"area"`
	AreaName string `json:"area_name"`
	Created  string `json:"created" format:"date-time"`
	Enrolled string `json:"enrolled,omitempty" format:"date-time" doc:"None: its code was not used yet"`
	Revoked  string `json:"revoked,omitempty" format:"date-time"`
}

// NewPhone is a phone that shall be shared.
type NewPhone struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
	Area string `json:"area" pattern:"^[a-z0-9-]{1,40}$" doc:"Officers of this area, above and below may choose a PIN on it"`
}

// InvitedPhone is a phone with the code that enrols it.
type InvitedPhone struct {
	Phone
	Code    string `json:"code" doc:"Shown once: type it into the phone"`
	Expires string `json:"expires" format:"date-time"`
}

// PhoneCode is what enrols a phone.
type PhoneCode struct {
	Code string `json:"code" minLength:"1" maxLength:"100"`
}

// ThisPhone is the phone that asks, and who signs in on it with a PIN.
type ThisPhone struct {
	Phone
	Persons []Named `json:"persons" nullable:"false"`
}

// Named is a person's id and name.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// PINSignIn is somebody at a phone.
type PINSignIn struct {
	Person string `json:"person" pattern:"^[a-z0-9-]{1,40}$"`
	PIN    string `json:"pin" minLength:"1" maxLength:"20"`
}

// NewPIN is a PIN that somebody chooses.
type NewPIN struct {
	PIN string `json:"pin" minLength:"1" maxLength:"20" doc:"6 to 12 digits, neither all alike nor counting up or down"`
}

type newPhoneInput struct{ Body NewPhone }

type invitedPhoneAnswer struct{ Body InvitedPhone }

type phonesAnswer struct {
	Body struct {
		Phones []Phone `json:"phones" nullable:"false" doc:"Oldest first, also revoked ones"`
	}
}

type phoneAnswer struct{ Body Phone }

type phoneCodeInput struct{ Body PhoneCode }

type enrolledPhoneAnswer struct {
	Cookies []http.Cookie `header:"Set-Cookie"`
	Body    Phone
}

type thisPhoneAnswer struct{ Body ThisPhone }

type pinSignInInput struct{ Body PINSignIn }

type newPINInput struct{ Body NewPIN }

func (s *server) phones(r *registry) {
	on(r, "invite-phone", s.invitePhone)
	on(r, "list-phones", s.listPhones)
	on(r, "revoke-phone", s.revokePhone)
	on(r, "enrol-phone", s.enrolPhone)
	on(r, "get-phone", s.thisPhone)
	on(r, "sign-in-pin", s.signInPIN)
	on(r, "set-pin", s.setPIN)
}

func (s *server) phoneOf(p people.Phone) Phone {
	return Phone{ID: string(p.ID), Name: p.Name, Area: string(p.Area), AreaName: s.nameOf(p.Area), Created: moment(p.Created),
		Enrolled: moment(p.Enrolled), Revoked: moment(p.Revoked)}
}

func (s *server) invitePhone(ctx context.Context, in *newPhoneInput) (*invitedPhoneAnswer, error) {
	p, code, err := s.cfg.Office.InvitePhone(ctx, callerOf(ctx).Person, in.Body.Name, broadcast.ID(in.Body.Area))
	return &invitedPhoneAnswer{Body: InvitedPhone{Phone: s.phoneOf(p), Code: code.Text, Expires: moment(code.Expires)}}, err
}

func (s *server) listPhones(ctx context.Context, _ *struct{}) (*phonesAnswer, error) {
	list, err := s.cfg.Office.Phones(ctx, callerOf(ctx).Person)
	out := &phonesAnswer{}
	out.Body.Phones = []Phone{}
	for _, p := range list {
		out.Body.Phones = append(out.Body.Phones, s.phoneOf(p))
	}
	return out, err
}

func (s *server) revokePhone(ctx context.Context, in *idPath) (*phoneAnswer, error) {
	p, err := s.cfg.Office.RevokePhone(ctx, callerOf(ctx).Person, broadcast.ID(in.ID))
	if err == nil {
		s.cfg.Events.Publish(events.Event{Kind: events.Session, ID: p.ID})
	}
	return &phoneAnswer{Body: s.phoneOf(p)}, err
}

// enrolPhone gives the phone its secret as a cookie that no script can read.
func (s *server) enrolPhone(ctx context.Context, in *phoneCodeInput) (*enrolledPhoneAnswer, error) {
	p, secret, err := s.cfg.Office.EnrolPhone(ctx, in.Body.Code)
	if err != nil {
		return nil, err
	}
	return &enrolledPhoneAnswer{Body: s.phoneOf(p), Cookies: []http.Cookie{callerOf(ctx).visit.cookie(phoneCookie, secret, browserLife)}}, nil
}

func (s *server) thisPhone(ctx context.Context, _ *struct{}) (*thisPhoneAnswer, error) {
	p, holders, err := s.cfg.Office.PINHolders(ctx, callerOf(ctx).visit.Phone)
	out := &thisPhoneAnswer{Body: ThisPhone{Phone: s.phoneOf(p), Persons: []Named{}}}
	for _, h := range holders {
		out.Body.Persons = append(out.Body.Persons, Named{ID: string(h.ID), Name: h.Name})
	}
	return out, err
}

func (s *server) signInPIN(ctx context.Context, in *pinSignInInput) (*enteredAnswer, error) {
	from := callerOf(ctx).visit
	e, err := s.cfg.Accounts.EnterPIN(ctx, broadcast.ID(in.Body.Person), in.Body.PIN, from.Visit)
	return s.entered(ctx, e, from, err)
}

func (s *server) setPIN(ctx context.Context, in *newPINInput) (*struct{}, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.cfg.Accounts.SetPIN(ctx, c.session, c.passphrase, in.Body.PIN, c.visit.Visit)
}
