package api

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// coded is an error of the database's driver.
type coded int

// Error returns the text.
func (c coded) Error() string { return fmt.Sprintf("driver error %d", int(c)) }

// Code returns the number.
func (c coded) Code() int { return int(c) }

func TestErrorsHaveOneAnswerEach(t *testing.T) {
	for err, want := range map[error]string{
		store.ErrNotFound: "404 not-found", store.ErrConflict: "409 conflict", people.ErrForbidden: "403 forbidden",
		people.ErrCredential: "401 credential", people.ErrCannotSign: "403 cannot-sign", people.ErrNoCertificate: "403 no-certificate",
		fleet.ErrToken: "403 enrolment-token", fleet.ErrCode: "409 short-code", fleet.ErrStatus: "409 node-status",
		fleet.ErrArea: "422 area-unknown", fleet.ErrFull: "409 nodes-full", coded(sqliteFull): "507 disk-full", syscall.ENOSPC: "507 disk-full",
		coded(5): "500 internal", errors.New("secret of the house"): "500 internal",
	} {
		var log bytes.Buffer
		s := &server{cfg: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}
		p := s.problem("test", fmt.Errorf("somewhere: %w", err))
		if got := fmt.Sprint(p.Status, " ", p.Code); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
		if p.Detail == "" || p.DetailVI == "" || p.Title == "" {
			t.Errorf("%v: %+v", err, p)
		}
		if hidden := p.Status == 500; hidden != strings.Contains(log.String(), err.Error()) || hidden && strings.Contains(p.Detail, err.Error()) {
			t.Errorf("%v: detail %q, log %q", err, p.Detail, log.String())
		}
	}
}
