package api

import (
	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
)

// Announcement is one announcement as the desk has it.
type Announcement struct {
	ID string `json:"id"`
	// Document is given where it is not the id.
	Document   string `json:"document,omitempty" doc:"The name by which nodes know every revision, if it is not the id"`
	Replaces   string `json:"replaces,omitempty" doc:"What it takes the place of once it is published"`
	ReplacedBy string `json:"replaced_by,omitempty" doc:"The revision that took its place"`
	// CorrectedBy and Corrects join a withdrawn announcement and what was said then.
	CorrectedBy string `json:"corrected_by,omitempty" doc:"What was said in its place when it was withdrawn"`
	Corrects    string `json:"corrects,omitempty" doc:"What it corrects, by the name that nodes know"`

	State    string    `json:"state" enum:"draft,submitted,published,withdrawn,closed"`
	Title    string    `json:"title"`
	Class    string    `json:"class" enum:"normal,priority,emergency"`
	Areas    []string  `json:"areas" nullable:"false"`
	Versions []Version `json:"versions" nullable:"false"`
	Timing   Timing    `json:"timing"`
	Volume   int64     `json:"volume,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Template string    `json:"template,omitempty" doc:"What it activates"`
	Meta     Meta      `json:"meta"`
	Digest   string    `json:"digest" doc:"What people approve; name it when you approve"`
	Author   string    `json:"author"`
	// Signatures in their order, and how many are needed; 0 before submitting.
	Needed     int         `json:"signatures_needed"`
	Signatures []Signature `json:"signatures" nullable:"false"`
	Revision   int64       `json:"revision,omitempty" doc:"Set by the first signature"`
	SHA256     string      `json:"sha256,omitempty" doc:"The sealed document, once published"`
	Created    string      `json:"created" format:"date-time"`
	Submitted  string      `json:"submitted,omitempty" format:"date-time"`
	Published  string      `json:"published,omitempty" format:"date-time"`
	Until      string      `json:"until,omitempty" format:"date-time" doc:"When the last sounding that may begin has ended"`
	Withdrawn  *Withdrawn  `json:"withdrawn,omitempty"`
	Closed     string      `json:"closed,omitempty" format:"date-time"`
	Forecast   *Forecast   `json:"forecast,omitempty" doc:"In the answers to a create and to a submit, and to an approval unless of an emergency"`
}

// Version is what sounds in one language.
type Version struct {
	Language  string `json:"language"`
	Content   string `json:"content,omitempty" doc:"SHA-256 of the content"`
	Programme string `json:"programme,omitempty" doc:"SHA-256 of the running order"`
	Millis    int64  `json:"ms"`
}

// Timing says when it may sound.
type Timing struct {
	Mode       string   `json:"mode" enum:"now,start"`
	Start      string   `json:"start,omitempty" format:"date-time"`
	Recurrence string   `json:"recurrence,omitempty"`
	Except     []string `json:"except,omitempty" nullable:"false"`
	Until      string   `json:"until,omitempty" format:"date-time"`
	LateLimit  int64    `json:"late_limit_s,omitempty"`
	Window     int64    `json:"window_s,omitempty"`
	Repeat     int64    `json:"repeat_s,omitempty"`
}

// Signature is one person's approval.
type Signature struct {
	Person string `json:"person"`
	At     string `json:"at" format:"date-time"`
}

// Withdrawn says who took it back, and why.
type Withdrawn struct {
	At     string `json:"at" format:"date-time"`
	Person string `json:"person"`
	Reason string `json:"reason"`
}

// Meta is what reports and citizens need to know; its digest is signed.
type Meta struct {
	Field          string `json:"field,omitempty" maxLength:"300" doc:"lĩnh vực"`
	Genre          string `json:"genre,omitempty" maxLength:"300" doc:"thể loại"`
	Author         string `json:"author,omitempty" maxLength:"300" doc:"tác giả"`
	Source         string `json:"source,omitempty" maxLength:"300" doc:"nguồn tin"`
	Text           string `json:"text,omitempty" maxLength:"32768" doc:"The words, or a summary"`
	DocumentNumber string `json:"document_number,omitempty" maxLength:"300"`
	Rights         string `json:"rights,omitempty" maxLength:"300" doc:"Who owns the recording and what was allowed"`
}

func announcementOf(a desk.Announcement) Announcement {
	doc := a.Document
	out := Announcement{ID: string(a.ID), Replaces: string(a.Replaces), ReplacedBy: string(a.ReplacedBy), CorrectedBy: string(a.CorrectedBy), State: string(a.State), Title: doc.Title, Class: string(doc.Class), Areas: texts(doc.Areas),
		Versions: []Version{}, Timing: timingOf(doc.Timing), Volume: doc.Volume, Reason: doc.Reason, Meta: Meta(a.Meta),
		Digest: string(a.Digest), Author: string(a.Author), Needed: a.Officers, Signatures: []Signature{},
		Revision: int64(doc.Revision), SHA256: string(a.SHA256), Created: moment(a.Created), Submitted: moment(a.Submitted),
		Published: moment(a.Published), Until: moment(a.Until), Closed: moment(a.Closed)}
	for _, v := range doc.Versions {
		out.Versions = append(out.Versions, versionOf(v))
	}
	for _, s := range a.Signatures {
		out.Signatures = append(out.Signatures, Signature{Person: string(s.Person), At: moment(s.At)})
	}
	if doc.ID != a.ID {
		out.Document = string(doc.ID)
	}
	if doc.Template != nil {
		out.Template = string(doc.Template.ID)
	}
	if doc.Corrects != nil {
		out.Corrects = string(doc.Corrects.ID)
	}
	if a.Withdrawn != 0 {
		out.Withdrawn = &Withdrawn{At: moment(a.Withdrawn), Person: string(a.WithdrawnBy), Reason: a.WithdrawnWhy}
	}
	return out
}

func versionOf(v broadcast.Version) Version {
	out := Version{Language: string(v.Language), Millis: v.Duration().Milliseconds()}
	switch {
	case v.Content != nil:
		out.Content = string(v.Content.SHA256)
	case v.Programme != nil:
		out.Programme = string(v.Programme.SHA256)
	}
	return out
}

func timingOf(t broadcast.Timing) Timing {
	out := Timing{Mode: string(t.Mode), Start: moment(t.Start), Until: moment(t.Until), LateLimit: t.LateLimit, Window: t.Window, Repeat: t.Repeat}
	if t.Recurrence != nil {
		out.Recurrence, out.Except = t.Recurrence.Rule, t.Recurrence.Except
	}
	return out
}

// moment is the text of an instant, empty for none.
func moment(i broadcast.Instant) string {
	if i == 0 {
		return ""
	}
	return i.String()
}

func texts[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}
