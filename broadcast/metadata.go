package broadcast

import "fmt"

// MaxMetadata is the largest encoding of Metadata in bytes.
const MaxMetadata = 64 << 10

// Metadata is what reports and citizens need to know of an announcement. Its
// digest is signed with the announcement, so it cannot be changed afterwards.
type Metadata struct {
	Field          string `json:"field,omitempty"`  // lĩnh vực
	Genre          string `json:"genre,omitempty"`  // thể loại
	Author         string `json:"author,omitempty"` // tác giả
	Source         string `json:"source,omitempty"` // nguồn tin
	Text           string `json:"text,omitempty"`   // the words, or a summary
	DocumentNumber string `json:"document_number,omitempty"`
	Rights         string `json:"rights,omitempty"` // who owns the recording and what was allowed
}

// Validate bounds every text, and the encoding, in which line feeds and quotes
// take two bytes.
func (m Metadata) Validate() error {
	short := []struct{ name, text string }{{"field", m.Field}, {"genre", m.Genre}, {"author", m.Author},
		{"source", m.Source}, {"document_number", m.DocumentNumber}, {"rights", m.Rights}}
	for _, s := range short {
		if err := firstOf(check{s.name, checkText(s.text, 300)}); err != nil {
			return err
		}
	}
	if err := firstOf(check{"text", checkText(m.Text, 32<<10)}); err != nil {
		return err
	}
	b, err := Encode(m)
	if err != nil {
		return err
	}
	if len(b) > MaxMetadata {
		return fmt.Errorf("text: encoded metadata of %d bytes, at most %d; shorten the text", len(b), MaxMetadata)
	}
	return nil
}

// Digest names the metadata by the SHA-256 of its encoding.
func (m Metadata) Digest() (Digest, error) {
	b, err := Encode(m)
	if err != nil {
		return "", fmt.Errorf("digest of metadata: %w", err)
	}
	return Sum(b), nil
}
