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
	sessions map[string][]uint64 // by user name, oldest first
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
	// Entered before the question is asked, so that a credential which is
	// revoked and then kicked cannot slip in between.
	d.enter(username, c.GetID())
	rights, ok := d.ask.Authorise(username, password)
	if !ok {
		d.leave(username, c.GetID())
		return false
	}
	return d.admit(c, username, rights)
}

func (d *door) isSelf(username, password string) bool {
	return subtle.ConstantTimeCompare([]byte(username), []byte(d.user))&
		subtle.ConstantTimeCompare([]byte(password), []byte(d.pass)) == 1
}

// admit hands the rights to the server, which enforces them from here on.
func (d *door) admit(c server.ClientAuthentication, username string, rights Rights) bool {
	permissions, err := permissions(rights)
	if err != nil {
		d.leave(username, c.GetID())
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

// enter notes a session and expels the oldest beyond the limit.
func (d *door) enter(username string, cid uint64) {
	d.mu.Lock()
	live := d.living(username)
	var surplus []uint64
	if n := len(live) + 1 - maxSessions; n > 0 {
		surplus, live = live[:n], live[n:]
	}
	d.sessions[username] = append(append([]uint64(nil), live...), cid)
	d.mu.Unlock()
	for _, cid := range surplus {
		d.expel(cid)
	}
}

// leave forgets a session that was refused after all. Those that end later are
// forgotten when their credential is next seen.
func (d *door) leave(username string, cid uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	live := d.living(username)
	kept := make([]uint64, 0, len(live))
	for _, other := range live {
		if other != cid {
			kept = append(kept, other)
		}
	}
	if len(kept) == 0 {
		delete(d.sessions, username)
		return
	}
	d.sessions[username] = kept
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
	d.mu.Unlock()
	for _, cid := range live {
		d.expel(cid)
	}
	return len(live)
}
