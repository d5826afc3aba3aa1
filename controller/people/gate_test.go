package people

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/store"
)

func TestPassphrasesAreTriedAFewAtATime(t *testing.T) {
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	cfg := Config{Tree: organisation.Fixed(tree), Now: func() time.Time { return now }, Cost: Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}}
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := InitDemo(context.Background(), dir, cfg); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	o, err := Open(context.Background(), dir, db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range wrapsAtOnce { // others are being served
		o.gate <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err = o.With(ctx, Credential{Person: "duyet-1", Passphrase: "x"}, func(seal.Signer) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("served beyond the bound: %v", err)
	}
	<-o.gate
	err = o.With(context.Background(), Credential{Person: "duyet-1", Passphrase: "x"}, func(seal.Signer) error { return nil })
	if !errors.Is(err, ErrCredential) {
		t.Errorf("with a place free: %v", err)
	}
}

func TestAWrappingOpensOnlyAsItWasMade(t *testing.T) {
	key, cost := sealtest.Key("lan"), Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}
	text, err := wrap(key, []byte("secret"), &cost, "lan")
	if err != nil {
		t.Fatal(err)
	}
	public := sealtest.Public("lan")
	if got, err := unwrap(text, []byte("secret"), public, "lan"); err != nil || !got.Equal(key) {
		t.Fatalf("%v", err)
	}
	replace := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%s is not in %s", old, text)
		}
		return strings.Replace(text, old, new, 1)
	}
	for name, c := range map[string]struct {
		text, secret, person string
		public               broadcast.Key
	}{
		"another secret":        {text, "Secret", "lan", public},
		"another person":        {text, "secret", "binh", public},
		"another key":           {text, "secret", "lan", sealtest.Public("binh")},
		"a cheaper guess":       {replace(`"passes":1`, `"passes":2`), "secret", "lan", public},
		"a terabyte of memory":  {replace(`"memory_kib":8`, `"memory_kib":1073741824`), "secret", "lan", public},
		"no passes":             {replace(`"passes":1`, `"passes":0`), "secret", "lan", public},
		"as if under a token":   {replace(`argon2id`, `hkdf-sha256`), "secret", "lan", public},
		"an unknown derivation": {replace(`argon2id`, `md5`), "secret", "lan", public},
		"a nonce cut short":     {replace(`"nonce":"`, `"nonce":"AAAA`), "secret", "lan", public},
		"not JSON":              {"x", "secret", "lan", public},
		"nothing":               {"", "secret", "lan", public},
	} {
		if _, err := unwrap(c.text, []byte(c.secret), c.public, c.person); err == nil {
			t.Errorf("%s: it opened", name)
		}
	}
	other, err := wrap(key, []byte("secret"), &cost, "lan")
	if err != nil || other == text {
		t.Errorf("two wrappings are alike: %v", err)
	}
}

func BenchmarkPassphraseAtDefaultCost(b *testing.B) {
	cost := DefaultCost()
	text, err := wrap(sealtest.Key("lan"), []byte("secret"), &cost, "lan")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := unwrap(text, []byte("secret"), sealtest.Public("lan"), "lan"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTokenOpensAKey(b *testing.B) {
	secret := random(tokenBytes)
	text, err := wrap(sealtest.Key("lan"), secret, nil, "lan")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := unwrap(text, secret, sealtest.Public("lan"), "lan"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAGuessCosts64MiBUnlessSomebodyAsksForMore(t *testing.T) {
	if o := newOffice("", nil, Config{}); o.cost != (Cost{MemoryKiB: 65536, Passes: 3, Lanes: 1}) || o.cost.check() != nil {
		t.Errorf("%+v", o.cost)
	}
	if o := newOffice("", nil, Config{Cost: Cost{MemoryKiB: 131072, Passes: 4, Lanes: 2}}); o.cost.MemoryKiB != 131072 {
		t.Errorf("%+v", o.cost)
	}
}
