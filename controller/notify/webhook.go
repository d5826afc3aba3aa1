package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// SignatureHeader carries "t=<Unix milliseconds>,v1=<hex>": the HMAC-SHA256 of
// the time, a full stop and the body, so that a call can be neither forged nor
// replayed later.
const SignatureHeader = "Loaxa-Signature"

// call is the body of a webhook.
type call struct {
	ID      broadcast.ID      `json:"id"`
	At      broadcast.Instant `json:"at"`
	Subject string            `json:"subject"`
	Body    string            `json:"body"`
	Urgent  bool              `json:"urgent"`
}

// hook calls other programs.
type hook struct {
	secret string
	client *http.Client
}

func newHook(s WebhookSettings) hook {
	d := &net.Dialer{Timeout: 10 * time.Second}
	if !s.Private {
		d.Control = publicOnly
	}
	return hook{secret: s.secret, client: &http.Client{
		// A proxy would be asked in the place of the address that is judged here.
		Transport:     &http.Transport{DialContext: d.DialContext, TLSHandshakeTimeout: 10 * time.Second, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// publicOnly refuses addresses of this machine and of private networks, judged
// after the name was resolved.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || sharedSpace().Contains(ip) {
		return fmt.Errorf("%w: %s is an address of the inside; webhook.private allows it", errRefused, ip)
	}
	return nil
}

// sharedSpace is what providers use behind their own translation (RFC 6598).
func sharedSpace() netip.Prefix { return netip.MustParsePrefix("100.64.0.0/10") }

// Send calls the address. 2xx is taken; 4xx other than 408 and 429 is a refusal.
func (h hook) Send(ctx context.Context, m store.Message) error {
	body, err := json.Marshal(call{ID: m.ID, At: m.Created, Subject: m.Subject, Body: m.Body, Urgent: m.Urgent})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", string(m.ID))
	req.Header.Set(SignatureHeader, sign(h.secret, m.Created, body))
	answer, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // whatever it says besides
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return fmt.Errorf("%w: it answered %s", errRefused, answer.Status)
	default:
		return fmt.Errorf("it answered %s", answer.Status)
	}
}

func sign(secret string, at broadcast.Instant, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	stamp := fmt.Sprint(int64(at))
	_, _ = io.WriteString(mac, stamp+".") // a hash takes everything
	_, _ = mac.Write(body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
