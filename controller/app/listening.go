package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// listeningName is the file in the data folder that says where the controller
// can be reached, for scripts that let it choose its ports.
const listeningName = "listening.json"

// reachable returns what nodes are told about where to report: the addresses
// that the operator gave, or those that the listeners are bound to.
func reachable(opt Options, httpAt, mqttAt string) (broadcast.Controller, error) {
	c := broadcast.Controller{HTTP: opt.PublicHTTP, MQTT: opt.PublicMQTT}
	if c.HTTP == "" {
		c.HTTP = "http://" + dialable(httpAt)
	}
	if c.MQTT == "" {
		c.MQTT = "mqtt://" + dialable(mqttAt)
		if opt.Broker != "" {
			c.MQTT = withoutUser(opt.Broker)
		}
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("where nodes report: %w", err)
	}
	return c, nil
}

// site is where people open the console: the address that the operator gave or,
// on one machine, that machine by its name, since browsers keep no passkeys for
// numbers. Empty is nowhere that is known.
func site(opt Options, httpAt string) string {
	if opt.PublicHTTP != "" {
		return opt.PublicHTTP
	}
	if _, port, err := net.SplitHostPort(httpAt); err == nil && loopback(httpAt) {
		return "http://localhost:" + port
	}
	return ""
}

// dialable turns a bound address into one that can be dialled: a listener on
// all interfaces is reached under the name of the machine.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return net.JoinHostPort(host, port)
}

// withoutUser leaves the controller's own credential out of a broker's address.
func withoutUser(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if at := strings.LastIndex(rest, "@"); ok && at >= 0 {
		return scheme + "://" + rest[at+1:]
	}
	return url
}

// loopback says whether only this machine reaches an address.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// removeListening takes away what an earlier life said, which a script would
// believe.
func removeListening(dir string) error {
	err := os.Remove(filepath.Join(dir, listeningName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("an earlier %s: %w", listeningName, err)
	}
	return nil
}

// writeListening tells scripts where the controller listens.
func writeListening(dir string, c broadcast.Controller) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, listeningName+".tmp")
	if err := os.WriteFile(tmp, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("say where the controller listens: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, listeningName)); err != nil {
		return fmt.Errorf("say where the controller listens: %w", err)
	}
	return nil
}
