package broker

import (
	"errors"
	"fmt"
	"strings"
)

// Rights are what one credential may do: two allow-lists of MQTT topic filters.
// What is not named is refused, so the zero value may do nothing at all.
//
// A filter consists of levels of letters, digits, "-" and "_", with "+" for any
// one level and "#" as the last level for everything below. Its first level is
// always spelt out, which keeps the broker's own "$" topics out of reach.
type Rights struct {
	// Publish holds the topics that may be written to, retained or not.
	Publish []string
	// Read holds the filters that may be subscribed to, or parts of them, at
	// QoS 0. Subscriptions at QoS 1 and 2 are always refused.
	Read []string
}

// Authoriser decides who may enter the embedded broker.
type Authoriser interface {
	// Authorise answers what the holder of this user name and password may do,
	// or false when the pair is not valid now. It is asked once for every
	// connection, from many goroutines at once, and never with an empty user
	// name. A later change of mind takes hold with Embedded.Kick.
	Authorise(username, password string) (Rights, bool)
}

// maxFilter is the longest topic filter accepted in Rights, in bytes. The
// longest topic of the wire has 80.
const maxFilter = 256

var errFilter = errors.New("topic filter not usable as a right")

// subjects translates one MQTT topic filter into the NATS subjects that mean
// the same. "a/#" needs two, since in MQTT it includes "a" itself.
func subjects(filter string) ([]string, error) {
	if filter == "" || len(filter) > maxFilter {
		return nil, fmt.Errorf("%w: %q must have 1 to %d bytes", errFilter, filter, maxFilter)
	}
	levels := strings.Split(filter, "/")
	out := make([]string, len(levels))
	for i, level := range levels {
		switch {
		case level == "+" && i > 0:
			out[i] = "*"
		case level == "#" && i > 0 && i == len(levels)-1:
			above := strings.Join(out[:i], ".")
			return []string{above, above + ".>"}, nil
		case literal(level):
			out[i] = level
		default:
			return nil, fmt.Errorf("%w: %q, level %d: use letters, digits, - and _, with + or a final # below the first level", errFilter, filter, i+1)
		}
	}
	return []string{strings.Join(out, ".")}, nil
}

// literal says whether a topic level means itself in MQTT and in NATS alike.
// "*", ">" and "." are wildcards and separators in NATS and plain text in MQTT,
// so a filter that holds one would grant more than it says.
func literal(level string) bool {
	for _, r := range level {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		default:
			return false
		}
	}
	return level != ""
}

// allSubjects translates a list of filters; one bad filter voids the list.
func allSubjects(filters []string) ([]string, error) {
	// Never nil: the server reads a missing allow-list as "everything".
	out := make([]string, 0, len(filters)+1)
	for _, filter := range filters {
		subjects, err := subjects(filter)
		if err != nil {
			return nil, err
		}
		out = append(out, subjects...)
	}
	return out, nil
}
