package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/people"
)

// caller is who asks: a person with a token or in a session, or a node.
type caller struct {
	people.Bearer
	token string
	// session has no ID for a token; passphrase or pin is what was sent with it.
	session    accounts.Session
	passphrase string
	pin        string
	node       broadcast.ID
	visit      visit
}

// credential opens the caller's key: the token does, a session alone never.
func (c caller) credential() people.Credential {
	if c.session.ID != "" && c.pin != "" {
		return people.Credential{Person: c.Person.ID, Phone: c.visit.Phone, PIN: c.pin}
	}
	if c.session.ID != "" {
		return people.Credential{Person: c.Person.ID, Passphrase: c.passphrase, Session: c.session.ID}
	}
	return people.Credential{Token: c.token}
}

type callerKey struct{}

// callerOf returns who asks; nobody on public routes, but from somewhere.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// admit lets a request through to its handler if its row of the table says so.
// An operation without a row is refused: nothing is open by omission.
func (s *server) admit(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	row, ok := ctx.Operation().Metadata[accessKey].(route)
	if !ok {
		refuse(w, plain(http.StatusNotFound, "there is no such address"))
		return
	}
	if row.public {
		if err := s.ownOrigin(r); err != nil {
			s.refuseError(w, r, err)
			return
		}
		next(huma.WithValue(ctx, callerKey{}, caller{visit: visitOf(r)}))
		return
	}
	c, err := s.identify(r, row)
	if err != nil {
		s.refuseError(w, r, err)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, c))
}

// identify says who asks, if they may.
func (s *server) identify(r *http.Request, row route) (caller, error) {
	if name, secret, ok := r.BasicAuth(); ok && row.node {
		n, err := s.cfg.Fleet.Credential(r.Context(), broadcast.ID(name), secret)
		if err != nil {
			return caller{}, problem(http.StatusUnauthorized, "credential", err.Error(), "Cụm loa không được nhận diện.")
		}
		return caller{node: n.ID}, nil
	}
	c, err := s.person(r, row)
	if err != nil {
		return caller{}, err
	}
	if err := s.cfg.Office.Authorise(c.Person, row.need); err != nil {
		return caller{}, err
	}
	return c, nil
}

// person says which person asks: by the token or, without one, by the session.
func (s *server) person(r *http.Request, row route) (caller, error) {
	if cookie, err := r.Cookie(sessionCookie); err == nil && r.Header.Get("Authorization") == "" {
		return s.inSession(r, row, cookie.Value)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return caller{}, problem(http.StatusUnauthorized, "credential",
			"sign in, or send a personal token: Authorization: Bearer lx_…; admin token makes one", "Hãy đăng nhập, hoặc gửi mã truy cập cá nhân trong tiêu đề Authorization.")
	}
	bearer, err := s.cfg.Office.Bearer(r.Context(), strings.TrimSpace(token))
	return caller{Bearer: bearer, token: strings.TrimSpace(token)}, err
}

// inSession says who asks in a session. A browser sends cookies also with what
// another site has it ask, so that is looked at first.
func (s *server) inSession(r *http.Request, row route, cookie string) (caller, error) {
	if err := s.ownOrigin(r); err != nil {
		return caller{}, err
	}
	from := visitOf(r)
	session, p, err := s.cfg.Accounts.Session(r.Context(), cookie, from.Visit)
	if err != nil {
		return caller{}, err
	}
	c := caller{Bearer: people.Bearer{Person: p, Expires: session.Expires}, session: session, visit: from}
	if row.signs {
		c.pin = r.Header.Get(pinHeader)
		if c.passphrase, err = url.PathUnescape(r.Header.Get(passphraseHeader)); err != nil {
			return caller{}, problem(http.StatusBadRequest, "bad-request", passphraseHeader+": percent-encode the passphrase in UTF-8", "Mật khẩu ký phải được mã hoá phần trăm (UTF-8).")
		}
	}
	return c, nil
}

// refuseError answers with the problem of an error, and logs what is a defect.
func (s *server) refuseError(w http.ResponseWriter, r *http.Request, err error) {
	refuse(w, s.problem(r.Method+" "+r.URL.Path, err))
}
