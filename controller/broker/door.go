package broker

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
)

// maxSessions is how many connections one credential holds at once. A node on
// a bad link leaves dead ones behind until their keepalive ends, so the oldest
// goes when a newer one comes: the newest is the one that is alive.
const maxSessions = 8

// maxQuestions bounds how often one connection is judged again because of kicks.
const maxQuestions = 4

// door is the embedded server's only way in.
type door struct {
	ask  Authoriser
	log  *slog.Logger
	user string // the process's own credential, valid for this life only
	pass string

	open chan struct{} // closed when the retained messages are loaded
	shut chan struct{} // closed when the broker ends

	alive func(cid uint64) bool
	expel func(cid uint64)

	mu       sync.Mutex
	sessions map[string][]uint64 // accepted ones by user name, oldest first
	kicks    int
}

func newDoor(ask Authoriser, log *slog.Logger) *door {
	return &door{
		ask: ask, log: log,
		user: "self-" + rand.Text(), pass: rand.Text(),
		open: make(chan struct{}), shut: make(chan struct{}),
		sessions: map[string][]uint64{},
	}
}

// Check admits or refuses one connection. It implements the server's
// authentication interface and runs on that connection's own goroutine, so
// waiting here delays nobody else.
func (d *door) Check(c server.ClientAuthentication) bool {
	username, password := c.GetOpts().Username, c.GetOpts().Password
	if d.isSelf(username, password) {
		return d.admit(c, username, Rights{Publish: []string{warmTopic}, Read: []string{warmTopic}})
	}
	if username == "" {
		return false
	}
	// A client that subscribes before the retained messages are loaded would
	// never get them: late is better than wrong.
	select {
	case <-d.open:
	case <-d.shut:
		return false
	}
	for range maxQuestions {
		kicks := d.kicked()
		rights, ok := d.ask.Authorise(username, password)
		if !ok {
			return false
		}
		// A credential that is revoked and then kicked must not slip in between
		// the answer and the entry: after any kick the question is asked again.
		if d.enter(username, c.GetID(), kicks) {
			return d.admit(c, username, rights)
		}
	}
	return false
}

func (d *door) isSelf(username, password string) bool {
	return subtle.ConstantTimeCompare([]byte(username), []byte(d.user))&
		subtle.ConstantTimeCompare([]byte(password), []byte(d.pass)) == 1
}

// admit hands the rights to the server, which enforces them from here on.
func (d *door) admit(c server.ClientAuthentication, username string, rights Rights) bool {
	permissions, err := permissions(rights)
	if err != nil {
		d.log.Error("broker refused a credential because its rights cannot be enforced; correct the topic filter", "username", username, "error", err)
		return false
	}
	c.RegisterUser(&server.User{Username: username, Permissions: permissions})
	return true
}

// permissions states the rights in the server's terms.
func permissions(rights Rights) (*server.Permissions, error) {
	publish, err := allSubjects(rights.Publish)
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	read, err := allSubjects(rights.Read)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: publish},
		// The server grants its own delivery subjects to every MQTT client. The
		// denial takes them away, and with them QoS 1 and 2 subscriptions, whose
		// stored consumers cost memory and disk that a node must not command.
		Subscribe: &server.SubjectPermission{Allow: read, Deny: []string{"$MQTT.>"}},
	}, nil
}

// kicked returns how many kicks there have been.
func (d *door) kicked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kicks
}

// enter notes an accepted session and expels the oldest beyond the limit. It
// does nothing and returns false when somebody was kicked meanwhile. Sessions
// that end are forgotten when their credential is next seen.
func (d *door) enter(username string, cid uint64, kicks int) bool {
	d.mu.Lock()
	if d.kicks != kicks {
		d.mu.Unlock()
		return false
	}
	live := append(d.living(username), cid)
	surplus := live[:max(0, len(live)-maxSessions)]
	d.sessions[username] = live[len(surplus):]
	d.mu.Unlock()
	for _, cid := range surplus {
		d.expel(cid)
	}
	return true
}

// living returns the sessions of a credential that still exist, oldest first.
func (d *door) living(username string) []uint64 {
	var live []uint64
	for _, cid := range d.sessions[username] {
		if d.alive(cid) {
			live = append(live, cid)
		}
	}
	return live
}

// kick ends every session of a credential and says how many there were.
func (d *door) kick(username string) int {
	d.mu.Lock()
	live := d.living(username)
	delete(d.sessions, username)
	d.kicks++
	d.mu.Unlock()
	for _, cid := range live {
		d.expel(cid)
	}
	return len(live)
}
