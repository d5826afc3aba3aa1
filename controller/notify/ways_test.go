package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func letter() store.Message {
	return store.Message{ID: "01m80c9nxgqy08mmd61tjymv1w", Address: "an@example.vn", Subject: "Loaxa: Xã Tân Lập: mất liên lạc ×15",
		Body: "[Sự cố] Xã Tân Lập: mất liên lạc\n.dòng bắt đầu bằng chấm\n", Created: broadcast.InstantOf(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC))}
}

// freePort is a port of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// mailServer starts Debian's aiosmtpd over a mail folder and returns both.
func mailServer(t *testing.T, extra ...string) (addr, folder string) {
	t.Helper()
	addr, folder = freePort(t), filepath.Join(t.TempDir(), "mail")
	args := append([]string{"-n", "-l", addr, "-c", "aiosmtpd.handlers.Mailbox"}, extra...)
	cmd := exec.Command("aiosmtpd", append(args, folder)...)
	said := &strings.Builder{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; scripts/setup installs it", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr, folder
		}
	}
	t.Fatalf("the mail server did not start: %s", said)
	return "", ""
}

// delivered reads the one mail of a folder.
func delivered(t *testing.T, folder string) *mail.Message {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "new", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d mails %v", len(files), err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(string(b)))
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return m
}

func TestMailArrivesAsItWasWritten(t *testing.T) {
	cert, key, trust := certificate(t)
	for name, c := range map[string]struct {
		security string
		extra    []string
	}{
		"plain":    {"none", nil},
		"starttls": {"starttls", []string{"--tlscert", cert, "--tlskey", key}},
		"tls":      {"tls", []string{"--smtpscert", cert, "--smtpskey", key}},
	} {
		t.Run(name, func(t *testing.T) {
			addr, folder := mailServer(t, c.extra...)
			m := mailer{settings: MailSettings{Server: addr, From: "Loa xã <loa@example.vn>", Security: c.security}, tls: trust}
			if err := m.Send(t.Context(), letter()); err != nil {
				t.Fatal(err)
			}
			got := delivered(t, folder)
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil || subject != letter().Subject {
				t.Errorf("subject %q %v", subject, err)
			}
			if got.Header.Get("To") != "<an@example.vn>" || got.Header.Get("Message-Id") != "<01m80c9nxgqy08mmd61tjymv1w@loaxa>" ||
				got.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("%v", got.Header)
			}
			if body := text(t, got); strings.ReplaceAll(body, "\r\n", "\n") != letter().Body {
				t.Errorf("body %q", body)
			}
		})
	}
}

func TestMailIsNotHandedOverInTheClearWhereItShouldBeEncrypted(t *testing.T) {
	addr, folder := mailServer(t)
	m := mailer{settings: MailSettings{Server: addr, From: "loa@example.vn", Security: "starttls"}}
	if err := m.Send(t.Context(), letter()); err == nil || errors.Is(err, errRefused) {
		t.Errorf("%v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(folder, "new", "*")); len(files) != 0 {
		t.Error("it went in the clear")
	}
}

// script answers one mail client line by line; an empty answer is silence.
func script(t *testing.T, answers map[string]string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, answers["hello"])
			in := bufio.NewReader(c)
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					break
				}
				verb := strings.ToUpper(strings.TrimSpace(line + "    ")[:4])
				answer, ok := answers[verb]
				if !ok {
					answer = "250 ok\r\n"
				}
				_, _ = io.WriteString(c, answer)
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

func TestOnlyARecipientThatDoesNotExistIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		answers map[string]string
		refused bool
	}{
		"no such recipient": {map[string]string{"hello": "220 x\r\n", "RCPT": "550 5.1.1 no such user\r\n"}, true},
		"greylisted":        {map[string]string{"hello": "220 x\r\n", "RCPT": "451 4.7.1 later\r\n"}, false},
		"busy":              {map[string]string{"hello": "421 busy\r\n"}, false},
		"not for us":        {map[string]string{"hello": "220 x\r\n", "MAIL": "550 no relaying\r\n"}, false},
		"silent":            {map[string]string{"hello": ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			m := mailer{settings: MailSettings{Server: script(t, c.answers), From: "loa@example.vn", Security: "none"}}
			if err := m.Send(ctx, letter()); err == nil || errors.Is(err, errRefused) != c.refused {
				t.Errorf("%v", err)
			}
		})
	}
	m := mailer{settings: MailSettings{Server: freePort(t), From: "loa@example.vn", Security: "none"}}
	if err := m.Send(t.Context(), letter()); err == nil || errors.Is(err, errRefused) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestWebhooksAreSignedAndJudgedByTheirAnswer(t *testing.T) {
	status := http.StatusNoContent
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if want := sign("rất bí mật", letter().Created, b); r.Header.Get(SignatureHeader) != want {
			t.Errorf("signed %q, want %q", r.Header.Get(SignatureHeader), want)
		}
		seen = append(seen, r.Header.Get("Idempotency-Key"))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	defer srv.Close()
	h := newHook(WebhookSettings{Private: true, secret: "rất bí mật"})
	m := letter()
	m.Address = srv.URL
	for code, want := range map[int]string{204: "taken", 200: "taken", 302: "later", 404: "refused", 429: "later", 500: "later"} {
		status = code
		err := h.Send(t.Context(), m)
		got := map[bool]string{true: "refused", false: "later"}[errors.Is(err, errRefused)]
		if err == nil {
			got = "taken"
		}
		if got != want {
			t.Errorf("%d: %s (%v)", code, got, err)
		}
	}
	if len(seen) != 6 || seen[0] != string(m.ID) {
		t.Errorf("%q", seen)
	}
}

func TestWebhooksDoNotReachIntoTheOffice(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer srv.Close()
	h := newHook(WebhookSettings{secret: "rất bí mật"})
	m := letter()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]"} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		m.Address = "http://" + host + ":" + port + "/"
		if err := h.Send(ctx, m); !errors.Is(err, errRefused) && host != "localhost" || err == nil {
			t.Errorf("%s: %v", host, err)
		}
		cancel()
	}
}

// program writes a script that a command runs.
func program(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "modem")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestACommandGetsTheNumberAndTheTextAndNothingElse(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	t.Setenv("LOAXA_SECRET", "not for modems")
	r := runner{run: []string{program(t, `printf '%s|%s|%s|' "$LOAXA_TO" "$LOAXA_SECRET" "$*" >"$2"; cat >>"$2"`), "--to", out}}
	m := letter()
	m.Address, m.Body = "+84912345678", "-f /etc/passwd `id` $(id)\n"
	if err := r.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(out); string(b) != "+84912345678||--to "+out+"|"+m.Body {
		t.Errorf("%q %v", b, err)
	}
}

func TestACommandIsJudgedByItsExitStatus(t *testing.T) {
	for status, refused := range map[int]bool{1: false, 65: true, 67: true, 75: false} {
		r := runner{run: []string{program(t, fmt.Sprintf("echo no signal >&2; exit %d", status))}}
		err := r.Send(t.Context(), letter())
		if err == nil || errors.Is(err, errRefused) != refused || !strings.Contains(err.Error(), "no signal") {
			t.Errorf("%d: %v", status, err)
		}
	}
	if err := (runner{run: []string{"/nowhere/modem"}}).Send(t.Context(), letter()); err == nil || errors.Is(err, errRefused) {
		t.Errorf("no program: %v", err)
	}
}

func TestACommandThatHangsIsEndedWithItsChildren(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := runner{run: []string{program(t, "sleep 60 & sleep 60")}}.Send(ctx, letter())
	if err == nil || errors.Is(err, errRefused) || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestATalkativeCommandFillsNoMemory(t *testing.T) {
	err := runner{run: []string{program(t, "yes 'lắm lời' | head -c 10000000; exit 1")}}.Send(t.Context(), letter())
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("%d bytes", len(err.Error()))
	}
}

func TestALongTextIsCutToWhatATelephoneShows(t *testing.T) {
	m := letter()
	if brief(m) != m.Body {
		t.Error("a short one is cut")
	}
	m.Body = strings.Repeat("dài ", maxText)
	if got := brief(m); len([]rune(got)) > maxText || !strings.HasPrefix(got, m.Subject) {
		t.Errorf("%q", got)
	}
}

func text(t *testing.T, m *mail.Message) string {
	t.Helper()
	b, err := io.ReadAll(decoder(m))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
