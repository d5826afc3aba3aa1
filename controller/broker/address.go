package broker

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// address is a broker as its operator writes it: mqtt://user:password@host:1883
// in the clear, mqtts:// over TLS.
type address struct {
	host     string // host:port
	tls      bool
	username string
	password string
}

// schemes lists what an address may begin with.
var schemes = map[string]struct {
	tls  bool
	port string
}{
	"mqtt":  {tls: false, port: "1883"},
	"mqtts": {tls: true, port: "8883"},
}

// parseAddress reads a broker address. Its errors never repeat a password.
func parseAddress(raw string) (address, error) {
	const want = "give mqtt://host:1883 or, over TLS, mqtts://host:8883, with user:password@ before the host if it asks for them"
	u, err := url.Parse(raw)
	if err != nil {
		return address{}, fmt.Errorf("broker address cannot be read: %s", want)
	}
	scheme, known := schemes[u.Scheme]
	if !known || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		shown := u.Redacted()
		if u.User == nil && strings.Contains(raw, "@") { // whatever it was meant to be, it may hold a password
			shown = u.Scheme + ":…"
		}
		return address{}, fmt.Errorf("broker address %q is not usable: %s", shown, want)
	}
	port := u.Port()
	if port == "" {
		port = scheme.port
	}
	password, _ := u.User.Password()
	return address{
		host: net.JoinHostPort(u.Hostname(), port), tls: scheme.tls,
		username: u.User.Username(), password: password,
	}, nil
}
