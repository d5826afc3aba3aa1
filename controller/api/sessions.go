package api

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/events"
)

// The cookies of a browser, and the header that carries a passphrase.
const (
	sessionCookie    = "loaxa_session"
	browserCookie    = "loaxa_browser"
	phoneCookie      = "loaxa_phone"
	passphraseHeader = "Loaxa-Passphrase"
	pinHeader        = "Loaxa-PIN"
	browserLife      = 366 * 24 * time.Hour
	maxDevice        = 200
)

// SignIn is somebody at the door.
type SignIn struct {
	Person   string `json:"person" pattern:"^[a-z0-9-]{1,40}$"`
	Password string `json:"password" minLength:"1" maxLength:"1000"`
}

// FirstSignIn is somebody with a one-time code.
type FirstSignIn struct {
	Person     string `json:"person" pattern:"^[a-z0-9-]{1,40}$"`
	Code       string `json:"code" minLength:"1" maxLength:"100"`
	Password   string `json:"password" minLength:"1" maxLength:"1000" doc:"At least 10 characters; what one signs in with"`
	Passphrase string `json:"passphrase,omitempty" maxLength:"1000" doc:"For a new key: what opens it for every signature; at least 10 characters, and not the password"`
}

// Change is an old secret and the one that takes its place.
type Change struct {
	Old string `json:"old" minLength:"1" maxLength:"1000"`
	New string `json:"new" minLength:"1" maxLength:"1000" doc:"At least 10 characters; password and passphrase differ"`
}

// Session is one sign-in.
type Session struct {
	ID      string `json:"id" doc:"Names the session; it is not the secret"`
	Person  string `json:"person"`
	Device  string `json:"device" doc:"What the program called itself"`
	Address string `json:"address" doc:"From where it was used last"`
	Created string `json:"created" format:"date-time"`
	Seen    string `json:"seen" format:"date-time" doc:"When it was used last, to the minute"`
	Expires string `json:"expires" format:"date-time" doc:"Without further use"`
	Current bool   `json:"current" doc:"The one that asks"`
}

type signInInput struct{ Body SignIn }

type firstInput struct{ Body FirstSignIn }

type enteredAnswer struct {
	Cookies []http.Cookie `header:"Set-Cookie"`
	Body    Me
}

type leftAnswer struct {
	Cookies []http.Cookie `header:"Set-Cookie"`
}

type sessionsInput struct {
	Person string `query:"person" pattern:"^[a-z0-9-]{1,40}$" doc:"Left out: oneself"`
}

type sessionsAnswer struct {
	Body struct {
		Sessions []Session `json:"sessions" nullable:"false" doc:"Newest first"`
	}
}

type sessionPath struct {
	SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$"`
}

type changeInput struct{ Body Change }

func (s *server) sessions(r *registry) {
	on(r, "sign-in", s.signIn)
	on(r, "sign-in-first", s.signInFirst)
	on(r, "sign-out", s.signOut)
	on(r, "list-sessions", s.listSessions)
	on(r, "end-session", s.endSession)
	on(r, "set-password", s.setPassword)
	on(r, "set-passphrase", s.setPassphrase)
}

func (s *server) signIn(ctx context.Context, in *signInInput) (*enteredAnswer, error) {
	from := callerOf(ctx).visit
	e, err := s.cfg.Accounts.Enter(ctx, broadcast.ID(in.Body.Person), in.Body.Password, from.Visit)
	return s.entered(ctx, e, from, err)
}

func (s *server) signInFirst(ctx context.Context, in *firstInput) (*enteredAnswer, error) {
	from := callerOf(ctx).visit
	e, err := s.cfg.Accounts.EnterFirst(ctx, accounts.First{Person: broadcast.ID(in.Body.Person), Code: in.Body.Code,
		Password: in.Body.Password, Passphrase: in.Body.Passphrase}, from.Visit)
	return s.entered(ctx, e, from, err)
}

// entered gives the browser its cookies, which no script can read and no other
// site can have sent.
func (s *server) entered(ctx context.Context, e accounts.Entry, from visit, err error) (*enteredAnswer, error) {
	if err != nil {
		return nil, err
	}
	s.cfg.Events.Publish(events.Event{Kind: events.Session, ID: e.Person.ID})
	c := caller{session: e.Session}
	c.Person, c.Expires = e.Person, e.Session.Expires
	me, err := s.meOf(ctx, c)
	return &enteredAnswer{Body: me, Cookies: []http.Cookie{from.cookie(sessionCookie, e.Cookie, e.Session.Lasts()),
		from.cookie(browserCookie, e.Browser, browserLife)}}, err
}

func (s *server) signOut(ctx context.Context, _ *struct{}) (*leftAnswer, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Accounts.Leave(ctx, c.session); err != nil {
		return nil, err
	}
	s.cfg.Events.Publish(events.Event{Kind: events.Session, ID: c.Person.ID})
	return &leftAnswer{Cookies: []http.Cookie{c.visit.cookie(sessionCookie, "", -time.Second)}}, nil
}

func (s *server) listSessions(ctx context.Context, in *sessionsInput) (*sessionsAnswer, error) {
	c := callerOf(ctx)
	of := c.Person.ID
	if in.Person != "" {
		of = broadcast.ID(in.Person)
	}
	list, err := s.cfg.Accounts.Sessions(ctx, c.Person, of)
	if err != nil {
		return nil, err
	}
	out := &sessionsAnswer{}
	out.Body.Sessions = []Session{}
	for _, v := range list {
		out.Body.Sessions = append(out.Body.Sessions, Session{ID: string(v.ID), Person: string(v.Person), Device: v.Device, Address: v.Address,
			Created: moment(v.Created), Seen: moment(v.Seen), Expires: moment(v.Expires), Current: v.ID == c.session.ID})
	}
	return out, nil
}

func (s *server) endSession(ctx context.Context, in *sessionPath) (*struct{}, error) {
	of, err := s.cfg.Accounts.End(ctx, callerOf(ctx).Person, broadcast.Digest(in.SHA256))
	if err == nil {
		s.cfg.Events.Publish(events.Event{Kind: events.Session, ID: of})
	}
	return nil, err
}

func (s *server) setPassword(ctx context.Context, in *changeInput) (*struct{}, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Accounts.SetPassword(ctx, c.session, in.Body.Old, in.Body.New); err != nil {
		return nil, err
	}
	s.cfg.Events.Publish(events.Event{Kind: events.Session, ID: c.Person.ID})
	return nil, nil
}

func (s *server) setPassphrase(ctx context.Context, in *changeInput) (*struct{}, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.cfg.Accounts.SetPassphrase(ctx, c.session, in.Body.Old, in.Body.New)
}

// inSession returns who asks, unless it is with a token: a token that leaked
// must not change what its owner signs in with.
func inSession(ctx context.Context) (caller, error) {
	c := callerOf(ctx)
	if c.session.ID == "" {
		return c, problem(http.StatusConflict, "no-session", "this is for somebody who signed in; a token has no session", "Việc này chỉ dành cho người đã đăng nhập bằng mật khẩu.")
	}
	return c, nil
}

// visit is where a request comes from.
type visit struct {
	accounts.Visit
	// sealed says that the line to the browser is encrypted.
	sealed bool
}

func visitOf(r *http.Request) visit {
	v := visit{sealed: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"}
	v.Address = r.RemoteAddr
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		v.Address = host
	}
	if v.Device = strings.ToValidUTF8(r.UserAgent(), ""); len(v.Device) > maxDevice {
		v.Device = strings.ToValidUTF8(v.Device[:maxDevice], "")
	}
	if c, err := r.Cookie(browserCookie); err == nil && len(c.Value) <= 100 {
		v.Browser = c.Value
	}
	if c, err := r.Cookie(phoneCookie); err == nil && len(c.Value) <= 100 {
		v.Phone = c.Value
	}
	return v
}

func (v visit) cookie(name, value string, life time.Duration) http.Cookie {
	return http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true, Secure: v.sealed, SameSite: http.SameSiteStrictMode}
}

// ownOrigin refuses what a browser was made to ask by another site.
func (s *server) ownOrigin(r *http.Request) error {
	if s.origin.Check(r) != nil {
		return problem(http.StatusForbidden, "cross-site", "another site had your browser ask this, and nothing was done: ask from the controller's own pages",
			"Yêu cầu này do một trang khác gửi nên không được thực hiện; hãy thao tác trên trang của hệ thống.")
	}
	return nil
}
