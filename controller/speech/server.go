package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
	"unicode"
)

// server is an engine that answers POST /v1/audio/speech as OpenAI's does.
type server struct {
	address string
	model   string
	key     string
	voices  []Voice
	client  *http.Client
}

// NewServer returns a speech server. address is the whole address of
// /v1/audio/speech; key may be empty. It follows no redirection.
func NewServer(address, model, key string, voices []Voice, wait time.Duration) (Engine, error) {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return nil, fmt.Errorf("%q is no address of a speech server: give one such as http://127.0.0.1:8000/v1/audio/speech", address)
	}
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: 2,
		ResponseHeaderTimeout: wait, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	client := &http.Client{Transport: transport, Timeout: wait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &server{address: address, model: model, key: key, voices: voices, client: client}, nil
}

// question is what the server is asked.
type question struct {
	Model  string  `json:"model"`
	Input  string  `json:"input"`
	Voice  string  `json:"voice"`
	Format string  `json:"response_format"`
	Speed  float64 `json:"speed"`
}

// Speak asks once.
func (s *server) Speak(ctx context.Context, u Utterance) (Sound, error) {
	text, err := acceptable(u, s.voices)
	if err != nil {
		return Sound{}, err
	}
	body, err := json.Marshal(question{Model: s.model, Input: text, Voice: u.Voice, Format: "wav", Speed: float64(u.Rate) / 100})
	if err != nil {
		return Sound{}, err
	}
	answer, err := s.do(ctx, http.MethodPost, body)
	if err != nil {
		return Sound{}, err
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode >= http.StatusInternalServerError, answer.StatusCode == http.StatusTooManyRequests,
		answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden, answer.StatusCode == http.StatusNotFound:
		return Sound{}, fmt.Errorf("%w: it answers %s", ErrDown, answer.Status)
	case answer.StatusCode != http.StatusOK:
		return Sound{}, fmt.Errorf("%w: it answers %s", ErrGarbage, answer.Status)
	}
	sound, err := ReadWave(answer.Body)
	var slow net.Error
	if ctx.Err() != nil {
		return Sound{}, ctx.Err()
	}
	if errors.As(err, &slow) && slow.Timeout() {
		return Sound{}, fmt.Errorf("%w: its answer does not end", ErrDown)
	}
	return sound, err
}

// Voices asks whether anybody listens there.
func (s *server) Voices(ctx context.Context) ([]Voice, error) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := s.do(ctx, http.MethodHead, nil)
	if err != nil {
		return s.voices, err
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 1024)
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusInternalServerError {
		return s.voices, fmt.Errorf("%w: it answers %s", ErrDown, answer.Status)
	}
	return s.voices, nil
}

func (s *server) do(ctx context.Context, method string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrDown, err)
	}
	return answer, nil
}

func letterOrDigit(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}
