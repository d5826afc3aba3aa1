package broadcast

import (
	"errors"
	"fmt"
)

// MaxManifestEntries is how many documents one area may hold at a time.
const MaxManifestEntries = 1000

// Manifest (bản kê) is the numbered list of documents that an area holds now.
type Manifest struct {
	Area     ID       `json:"area"`
	Revision Revision `json:"revision"`
	// Documents is in order of kind, then id.
	Documents []Entry `json:"documents,omitempty"`
	// Audit is the head of the controller's audit log.
	Audit AuditHead `json:"audit"`
	// Nonces lists boots that asked for proof that this manifest is fresh.
	Nonces []string `json:"nonces,omitempty"`
}

// Entry names one sealed document by the digest of its envelope.
type Entry struct {
	Kind     Kind     `json:"kind"`
	ID       ID       `json:"id"`
	Revision Revision `json:"revision"`
	SHA256   Digest   `json:"sha256"`
}

// AuditHead is the length of the audit log and the hash of its last row.
type AuditHead struct {
	Length int64  `json:"length"`
	Head   Digest `json:"head,omitempty"`
}

// Compare orders entries by kind, then id: -1, 0 or 1.
func (e Entry) Compare(o Entry) int {
	switch {
	case e.Kind != o.Kind && e.Kind < o.Kind, e.Kind == o.Kind && e.ID < o.ID:
		return -1
	case e == o || e.Kind == o.Kind && e.ID == o.ID:
		return 0
	}
	return 1
}

// Validate refuses entries without a known kind, id, revision or digest.
func (e Entry) Validate() error {
	return firstOf(check{"kind", e.Kind.Validate()}, check{"id", e.ID.Validate()},
		check{"revision", e.Revision.Validate()}, check{"sha256", e.SHA256.Validate()})
}

// Validate refuses unsorted, repeated and too many entries.
func (m Manifest) Validate() error {
	if len(m.Documents) > MaxManifestEntries {
		return fmt.Errorf("documents: %d, at most %d", len(m.Documents), MaxManifestEntries)
	}
	for i, e := range m.Documents {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("documents: %w", err)
		}
		if i > 0 && m.Documents[i-1].Compare(e) >= 0 {
			return errors.New("documents: must be in order of kind and id, each once")
		}
	}
	if len(m.Nonces) > 500 {
		return fmt.Errorf("nonces: %d, at most 500", len(m.Nonces))
	}
	for _, n := range m.Nonces {
		if err := firstOf(check{"nonces", checkNonce(n)}); err != nil {
			return err
		}
	}
	return firstOf(check{"area", m.Area.Validate()}, check{"revision", m.Revision.Validate()},
		check{"audit", within(m.Audit.Length, 0, 1<<53)}, check{"audit", maybe(m.Audit.Head)})
}

// Find returns the entry of a document and whether the manifest lists it.
func (m Manifest) Find(kind Kind, id ID) (Entry, bool) {
	for _, e := range m.Documents {
		if e.Kind == kind && e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}
