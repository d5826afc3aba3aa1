package broadcast

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limits of an announcement.
const (
	MaxAreas    = 24
	MaxVersions = 6
	MaxDuration = time.Hour
	maxTitle    = 200
	maxCode     = 20
	maxReason   = 300
)

// Announcement is one thing to be broadcast (bản tin): what, where, when and in
// which class. It is sealed by officers; a drill has the same fields under its
// own kind.
type Announcement struct {
	ID       ID        `json:"id"`
	Revision Revision  `json:"revision"`
	Class    Class     `json:"class"`
	Title    string    `json:"title"`
	Areas    []ID      `json:"areas"`
	Versions []Version `json:"versions"`
	Timing   Timing    `json:"timing"`
	// Meta is the digest of the Metadata that was approved with it.
	Meta Digest `json:"meta"`
	// Volume is percent of the ceiling, 1 to 100; 0 stands for 100.
	Volume int64 `json:"volume,omitempty"`
	// Template names the standing order that this announcement activates.
	Template *TemplateRef `json:"template,omitempty"`
	// Corrects names what was withdrawn and is corrected by this: recordings that
	// the policy lists for that need one signature.
	Corrects *AnnouncementRef `json:"corrects,omitempty"`
	// Reason is why one officer spoke alone; policy asks for it.
	Reason string `json:"reason,omitempty"`
}

// AnnouncementRef names one revision of an announcement.
type AnnouncementRef struct {
	ID       ID       `json:"id"`
	Revision Revision `json:"revision"`
}

// Version is what sounds in one language: exactly one of the three bodies.
type Version struct {
	Language  Language   `json:"language"`
	Content   *Content   `json:"content,omitempty"`
	Programme *Programme `json:"programme,omitempty"`
	Live      *Live      `json:"live,omitempty"`
}

// Content is an immutable audio object named by the SHA-256 of its bytes.
type Content struct {
	SHA256 Digest `json:"sha256"`
	// Millis is the length of the sound.
	Millis int64 `json:"ms"`
	Bytes  int64 `json:"bytes"`
}

// Programme names a running order by the digest of its RunningOrder, with what
// a plan needs to know of it without a download.
type Programme struct {
	SHA256 Digest `json:"sha256"`
	Millis int64  `json:"ms"`
	Bytes  int64  `json:"bytes"`
}

// Live is audio that exists only now: its words are signed with a session key,
// save those that are spoken into the node's own microphone. Those of a relay are
// signed with the key that a Session names, for nobody holds a key for weeks.
type Live struct {
	// SessionKey is an Ed25519 public key, base64url without padding; empty for Box.
	// It is fresh for each live body: what was signed for another says nothing of it.
	SessionKey string `json:"session_key,omitempty"`
	Source     Source `json:"source"`
	// Station is what a Relay relays, and empty for every other source.
	Station ID `json:"station,omitempty"`
	// Millis is how long it may last at most.
	Millis int64 `json:"ms"`
}

// Source is where live audio comes from.
type Source string

// The sources of live audio.
const (
	Microphone Source = "microphone"
	Relay      Source = "relay" // tiếp âm, never in an emergency
	Conference Source = "conference"
	// Box is the node's own microphone. It opens for a template alone, to whoever
	// stands at it: nobody listens from afar.
	Box Source = "box"
)

// MaxSpeech is the longest that somebody may speak at a box.
const MaxSpeech = 10 * time.Minute

// Spoken says that the version is spoken at the node itself.
func (v Version) Spoken() bool { return v.Live != nil && v.Live.Source == Box }

// Duration is how long the version sounds, or may sound at most if live.
func (v Version) Duration() time.Duration {
	switch {
	case v.Content != nil:
		return time.Duration(v.Content.Millis) * time.Millisecond
	case v.Programme != nil:
		return time.Duration(v.Programme.Millis) * time.Millisecond
	case v.Live != nil:
		return time.Duration(v.Live.Millis) * time.Millisecond
	}
	return 0
}

// Validate refuses versions with no body, several bodies, or impossible sizes.
func (v Version) Validate() error {
	bodies := 0
	var err error
	if v.Content != nil {
		bodies, err = bodies+1, v.Content.Validate()
	}
	if v.Programme != nil {
		bodies, err = bodies+1, errors.Join(err, Content(*v.Programme).Validate())
	}
	if v.Live != nil {
		bodies, err = bodies+1, errors.Join(err, v.Live.Validate())
	}
	if bodies != 1 {
		return fmt.Errorf("version %q: exactly one of content, programme and live is needed", string(v.Language))
	}
	return firstOf(check{"language", v.Language.Validate()}, check{"body", err})
}

// Validate refuses lengths outside 1 ms to MaxDuration and empty content.
func (c Content) Validate() error {
	return firstOf(check{"sha256", c.SHA256.Validate()},
		check{"ms", within(c.Millis, 1, MaxDuration.Milliseconds())},
		check{"bytes", within(c.Bytes, 1, 200<<20)})
}

// validateKept is Validate for a recording that may be absent.
func (c *Content) validateKept() error {
	if c == nil {
		return nil
	}
	return c.Validate()
}

// Validate refuses unknown sources, malformed keys and unbounded lengths.
func (l Live) Validate() error {
	switch l.Source {
	case Microphone, Relay, Conference, Box:
	default:
		return fmt.Errorf("source %q: use microphone, relay or conference, or box in a template", string(l.Source))
	}
	if (l.Source == Relay) != (l.Station != "") {
		return errors.New("station: a relay names what it relays, and nothing else does")
	}
	if l.Source == Box {
		if l.SessionKey != "" {
			return errors.New("session_key: what is spoken at the box comes over no line, so no key signs it")
		}
		return firstOf(check{"ms", within(l.Millis, 1, MaxSpeech.Milliseconds())})
	}
	_, err := ParseKey(l.SessionKey)
	return firstOf(check{"station", maybe(l.Station)}, check{"session_key", err}, check{"ms", within(l.Millis, 1, 4*MaxDuration.Milliseconds())})
}

// Spoken says that the announcement is what somebody says at the box.
func (a Announcement) Spoken() bool { return slices.ContainsFunc(a.Versions, Version.Spoken) }

// Validate says whether the announcement is complete and inside every limit. No
// announcement opens the microphone of a box.
func (a Announcement) Validate() error {
	if a.Spoken() {
		return errors.New("versions: the microphone of a box opens for a template alone, to whoever stands there")
	}
	return a.validate()
}

func (a Announcement) validate() error {
	if err := firstOf(check{"id", a.ID.Validate()}, check{"revision", a.Revision.Validate()},
		check{"class", a.Class.Validate()}); err != nil {
		return err
	}
	if a.Title == "" {
		return errors.New("title: empty; say in a few words what the announcement is about")
	}
	if a.Corrects != nil && (a.Template != nil || a.Timing.Recurrence != nil) {
		return errors.New("corrects: a correction sounds by itself and once")
	}
	return firstOf(check{"title", checkText(a.Title, maxTitle)},
		check{"areas", distinct(a.Areas, 1, MaxAreas)},
		check{"versions", a.validateVersions()},
		check{"timing", a.Timing.ValidateFor(a.Class)},
		check{"meta", a.Meta.Validate()},
		check{"volume", within(a.Volume, 0, 100)},
		check{"template", maybeRef(a.Template)},
		check{"corrects", maybeRef((*TemplateRef)(a.Corrects))},
		check{"reason", checkText(a.Reason, maxReason)})
}

func (a Announcement) validateVersions() error {
	if len(a.Versions) == 0 || len(a.Versions) > MaxVersions {
		return fmt.Errorf("%d versions, allowed are 1 to %d", len(a.Versions), MaxVersions)
	}
	seen := map[Language]bool{}
	for _, v := range a.Versions {
		if err := v.Validate(); err != nil {
			return err
		}
		if seen[v.Language] {
			return fmt.Errorf("language %s is given twice", v.Language)
		}
		seen[v.Language] = true
		if a.Class == Emergency && v.Live != nil && v.Live.Source == Relay {
			return errors.New("a relay is never an emergency")
		}
	}
	return nil
}

// Digest names what people approve: everything but the moment of issue. The
// revision, and the start of an announcement in mode now, are set when it is
// sealed and leave the digest unchanged.
func (a Announcement) Digest() (Digest, error) {
	a.Revision = 0
	if a.Timing.Mode == ModeNow {
		a.Timing.Start = 0
	}
	b, err := Encode(a)
	if err != nil {
		return "", fmt.Errorf("digest of announcement %s: %w", a.ID, err)
	}
	return Sum(b), nil
}
