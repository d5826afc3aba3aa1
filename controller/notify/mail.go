package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/loaxa/loaxa/controller/store"
)

// mailer hands mail to a server (RFC 5321), in plain UTF-8 text.
type mailer struct {
	settings MailSettings
	// tls is for servers whose certificate this machine does not know; nil for
	// what the machine knows.
	tls *tls.Config
}

// Send hands one message over. A recipient that the server will never take is a
// refusal; whatever else fails may go better later.
func (m mailer) Send(ctx context.Context, msg store.Message) error {
	letter := mail.NewMsg()
	if err := errors.Join(letter.From(m.settings.From), letter.To(msg.Address)); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	letter.Subject(oneLine(msg.Subject))
	letter.SetMessageIDWithValue(string(msg.ID) + "@loaxa")
	letter.SetDateWithValue(msg.Created.Time())
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no machine answers it
	if msg.Urgent {
		letter.SetImportance(mail.ImportanceUrgent)
	}
	letter.SetBodyString(mail.TypeTextPlain, msg.Body)
	client, err := m.client()
	if err != nil {
		return err
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return judged(err)
	}
	return nil
}

func (m mailer) client() (*mail.Client, error) {
	host, port, err := net.SplitHostPort(m.settings.Server)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("mail.server: port %q: %w", port, err)
	}
	opts := []mail.Option{mail.WithPort(number), mail.WithTimeout(each / 2), mail.WithTLSConfig(m.encryption(host)),
		mail.WithDialContextFunc(m.dial)}
	switch m.settings.Security {
	case "tls":
		opts = append(opts, mail.WithSSL())
	case "none":
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.settings.User != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.settings.User), mail.WithPassword(m.settings.password))
	}
	return mail.NewClient(host, opts...)
}

// dial connects for as long as the context lasts, whatever the library and the
// server make of the time in between.
func (m mailer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		err = c.SetDeadline(end)
	}
	c = timed{c}
	if m.settings.Security == "tls" {
		host, _, _ := net.SplitHostPort(address)
		c = tls.Client(c, m.encryption(host))
	}
	return c, err
}

// timed is a connection whose deadline stands.
type timed struct{ net.Conn }

// SetDeadline leaves the deadline as it is.
func (timed) SetDeadline(time.Time) error { return nil }

// SetReadDeadline leaves the deadline as it is.
func (timed) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline leaves the deadline as it is.
func (timed) SetWriteDeadline(time.Time) error { return nil }

func (m mailer) encryption(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.tls != nil {
		c = m.tls.Clone()
	}
	c.ServerName = host
	return c
}

// judged tells recipients that do not exist from what may pass: everything that
// concerns the server, the line or the login may be mended by somebody.
func judged(err error) error {
	var failed *mail.SendError
	if errors.As(err, &failed) && !failed.IsTemp() && failed.Reason == mail.ErrSMTPRcptTo {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	var code *textproto.Error
	if errors.As(err, &code) {
		return fmt.Errorf("the mail server answered %d: %w", code.Code, err)
	}
	return err
}
