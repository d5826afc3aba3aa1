package wire_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
)

func aBlock() wire.Block {
	return wire.Block{First: 35, At: 1795248000700, Packets: [][]byte{[]byte("one"), []byte("two"), bytes.Repeat([]byte{7}, wire.MaxPacket)}}
}

func TestABlockHasItsGoldenBytes(t *testing.T) {
	raw := aBlock().Sign(sealtest.Key("signer"))
	got := hex.EncodeToString(raw) + "\n"
	path := filepath.Join("testdata", "golden", "live-block.hex")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the block changed on the wire:\n%s\n%s", got, want)
	}
	back, err := wire.OpenBlock(raw, sealtest.Public("signer"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(aBlock(), back); diff != "" {
		t.Error(diff)
	}
}

func TestNoByteOfABlockCanBeChanged(t *testing.T) {
	raw := aBlock().Sign(sealtest.Key("signer"))
	for i := range raw {
		raw[i] ^= 1
		if _, err := wire.OpenBlock(raw, sealtest.Public("signer")); !errors.Is(err, wire.ErrBlockSignature) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		raw[i] ^= 1
	}
	if _, err := wire.OpenBlock(raw, sealtest.Public("another")); !errors.Is(err, wire.ErrBlockSignature) {
		t.Errorf("signed by another: %v", err)
	}
	for n := range raw {
		if _, err := wire.OpenBlock(raw[:n], sealtest.Public("signer")); err == nil {
			t.Fatalf("believed when cut to %d bytes", n)
		}
	}
}

func TestImpossibleBlocksAreRefusedWhoeverSignedThem(t *testing.T) {
	for name, change := range map[string]func(*wire.Block){
		"no packet":        func(b *wire.Block) { b.Packets = nil },
		"too many packets": func(b *wire.Block) { b.Packets = append(b.Packets, b.Packets...) },
		"an empty packet":  func(b *wire.Block) { b.Packets[1] = nil },
		"a giant packet":   func(b *wire.Block) { b.Packets[1] = make([]byte, wire.MaxPacket+1) },
		"a number below 0": func(b *wire.Block) { b.First = -1 },
		"no moment":        func(b *wire.Block) { b.At = 0 },
	} {
		b := aBlock()
		change(&b)
		if _, err := wire.OpenBlock(b.Sign(sealtest.Key("signer")), sealtest.Public("signer")); !errors.Is(err, wire.ErrBlockForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFramesAreReadOneByOne(t *testing.T) {
	raw := aBlock().Sign(sealtest.Key("signer"))
	stream := wire.AppendFrame(wire.AppendFrame(nil, wire.SessionFrame, []byte("sealed")), wire.BlockFrame, raw)
	r := bytes.NewReader(stream)
	if f, body, err := wire.ReadFrame(r); f != wire.SessionFrame || string(body) != "sealed" || err != nil {
		t.Errorf("%q %q %v", f, body, err)
	}
	if f, body, err := wire.ReadFrame(r); f != wire.BlockFrame || !bytes.Equal(body, raw) || err != nil {
		t.Errorf("%q %d bytes %v", f, len(body), err)
	}
	if _, _, err := wire.ReadFrame(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for name, bad := range map[string]string{"unknown": "X\x00\x00", "giant": "B\xff\xff", "cut head": "S\x00", "cut body": "S\x00\x05abc"} {
		if _, _, err := wire.ReadFrame(strings.NewReader(bad)); err == nil || err == io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzLive: whatever a line brings, a frame is bounded, and a block that is
// believed has one encoding.
func FuzzLive(f *testing.F) {
	key, public := sealtest.Key("signer"), sealtest.Public("signer")
	f.Add(wire.AppendFrame(nil, wire.BlockFrame, aBlock().Sign(key)))
	f.Add(wire.AppendFrame(nil, wire.SessionFrame, []byte("{}")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kind, body, err := wire.ReadFrame(bytes.NewReader(raw))
		if err != nil || kind != wire.BlockFrame {
			return
		}
		b, err := wire.OpenBlock(body, public)
		if err == nil && !bytes.Equal(b.Sign(key), body) {
			t.Errorf("%x is believed and has another encoding", body)
		}
	})
}

func TestALivePathNamesStationAndSession(t *testing.T) {
	key := sealtest.Public("session")
	if got := wire.LivePath(broadcast.ID("vov1"), key); got != "live/vov1/"+string(key) {
		t.Error(got)
	}
}
