package wire_test

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// payloads has the Go type behind every sealed kind and every hint.
func payloads() map[string]any {
	return map[string]any{
		"announcement": broadcast.Announcement{}, "drill": broadcast.Announcement{}, "template": broadcast.Template{},
		"withdrawal": broadcast.Withdrawal{}, "silence": broadcast.Silence{}, "policy": broadcast.Policy{},
		"placement": broadcast.Placement{}, "slot": broadcast.Slot{}, "assignment": broadcast.Assignment{},
		"command": broadcast.Command{}, "manifest": broadcast.Manifest{}, "authority": broadcast.Authority{},
		"certificate": broadcast.Certificate{}, "root": broadcast.Root{}, "rebase": broadcast.Rebase{}, "session": broadcast.Session{},
		"time": broadcast.TimeAnswer{}, "receipts": broadcast.ReceiptBatch{}, "ack": broadcast.ReceiptAck{},
		"presence": wire.Presence{}, "state": wire.State{}, "health": wire.Health{}, "controller-state": wire.ControllerState{},
	}
}

// schema describes a Go type in JSON Schema.
func schema(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[broadcast.Instant]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[broadcast.LocalTime]():
		return map[string]any{"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}
	case t == reflect.TypeFor[broadcast.ID]():
		return map[string]any{"type": "string", "pattern": "^[a-z0-9-]{1,40}$"}
	case t == reflect.TypeFor[broadcast.Digest]():
		return map[string]any{"type": "string", "pattern": "^[0-9a-f]{64}$"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schema(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schema(t.Elem())}
	case reflect.Struct:
		return object(t)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	}
	return map[string]any{"type": "integer"}
}

func object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		properties[name] = schema(t.Field(i).Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

// contract writes the contract from the table of topics and the Go types.
func contract(t *testing.T) []byte {
	t.Helper()
	messages, channels, operations := map[string]any{}, map[string]any{}, map[string]any{}
	for name, v := range payloads() {
		m := map[string]any{"name": name, "payload": schema(reflect.TypeOf(v))}
		if k := broadcast.Kind(name); k.Validate() == nil {
			m["summary"] = "Payload of a JWS (RFC 7515) in general JSON serialisation with typ " + k.Typ() + "."
			m["x-envelope-limit-bytes"] = k.Limit()
		}
		messages[name] = m
	}
	for _, c := range wire.Channels() {
		address, id := wire.ControllerTopic, "controller-state"
		refs := map[string]any{}
		if c.Scope != "controller" {
			address = wire.Prefix + "/" + c.Scope + "/{id}/" + c.Name
			id = c.Scope + "-" + strings.ReplaceAll(c.Name, "/", "-")
		}
		for _, k := range c.Kinds {
			refs[string(k)] = map[string]any{"$ref": "#/components/messages/" + string(k)}
		}
		if len(c.Kinds) == 0 {
			hint := c.Name
			if c.Scope == "controller" {
				hint = id
			}
			refs[hint] = map[string]any{"$ref": "#/components/messages/" + hint}
		}
		ch := map[string]any{"address": address, "messages": refs, "x-limit-bytes": c.Limit,
			"bindings": map[string]any{"mqtt": map[string]any{"bindingVersion": "0.2.0"}}}
		if c.Scope != "controller" {
			ch["parameters"] = map[string]any{"id": map[string]any{"description": "id of the " + c.Scope}}
		}
		channels[id] = ch
		operations[string(c.From)+"-publishes-"+id] = map[string]any{"action": "send", "channel": map[string]any{"$ref": "#/channels/" + id},
			"bindings": map[string]any{"mqtt": map[string]any{"qos": 0, "retain": c.Retained}}}
	}
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	err := enc.Encode(map[string]any{"asyncapi": "3.0.0", "defaultContentType": "application/json",
		"info":     map[string]any{"title": "Loaxa wire", "version": "1", "description": "MQTT 3.1.1 between controller and nodes. The broker is trusted with nothing."},
		"channels": channels, "operations": operations, "components": map[string]any{"messages": messages}})
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestContractSaysWhatTheCodeDoes(t *testing.T) {
	got := contract(t)
	if *update {
		if err := os.WriteFile("asyncapi.yaml", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("asyncapi.yaml does not match the code; run: go test ./broadcast/wire -run Contract -update, and read what changed")
	}
}

func TestContractNamesEveryKindOnce(t *testing.T) {
	for _, k := range broadcast.Kinds() {
		if _, ok := payloads()[string(k)]; !ok {
			t.Errorf("kind %s has no payload in the contract", k)
		}
	}
}
