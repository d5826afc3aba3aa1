package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
)

// caller is who asks: a person with a token, or a node.
type caller struct {
	people.Bearer
	token string
	node  broadcast.ID
}

// credential opens the caller's key.
func (c caller) credential() people.Credential { return people.Credential{Token: c.token} }

type callerKey struct{}

// callerOf returns who asks; the zero caller on public routes.
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
		next(ctx)
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
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return caller{}, problem(http.StatusUnauthorized, "credential",
			"send a personal token: Authorization: Bearer lx_…; admin token makes one", "Hãy gửi mã truy cập cá nhân trong tiêu đề Authorization.")
	}
	bearer, err := s.cfg.Office.Bearer(r.Context(), strings.TrimSpace(token))
	if err != nil {
		return caller{}, err
	}
	if err := s.cfg.Office.Authorise(bearer.Person, row.need); err != nil {
		return caller{}, err
	}
	return caller{Bearer: bearer, token: strings.TrimSpace(token)}, nil
}

// refuseError answers with the problem of an error, and logs what is a defect.
func (s *server) refuseError(w http.ResponseWriter, r *http.Request, err error) {
	refuse(w, s.problem(r.Method+" "+r.URL.Path, err))
}
