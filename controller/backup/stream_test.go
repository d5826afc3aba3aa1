package backup

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/loaxa/loaxa/controller/people"
)

const phrase = "suối nguồn Tân Lập"

func cheap() people.Cost { return people.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1} }

// sealed returns text as it stands in a file.
func sealed(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	s, err := newSealer(&out, phrase, cheap())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func opened(file []byte, passphrase string) ([]byte, error) {
	o, err := newOpener(bytes.NewReader(file), passphrase)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(o)
}

// random text of a length; the same every time.
func text(n int) []byte {
	out := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(out)
	return out
}

func TestWhatWasSealedIsReadAgain(t *testing.T) {
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk} {
		got, err := opened(sealed(t, text(n)), phrase)
		if err != nil || !bytes.Equal(got, text(n)) {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
	}
	if _, err := opened(sealed(t, text(5)), phrase+"."); !errors.Is(err, ErrOpen) {
		t.Errorf("with another passphrase: %v", err)
	}
	a, b := sealed(t, text(chunk)), sealed(t, text(chunk))
	if bytes.Equal(a[len(a)-100:], b[len(b)-100:]) {
		t.Error("two backups of the same look the same")
	}
}

// TestNothingOfASealedStreamCanBeChanged cuts off, flips, swaps and repeats.
func TestNothingOfASealedStreamCanBeChanged(t *testing.T) {
	whole := sealed(t, text(3*chunk+100))
	head := bytes.IndexByte(whole, '\n') + 1
	at := func(n int) int { return head + n*(chunk+16) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	cases := map[string][]byte{
		"cut off at a chunk":    whole[:at(2)],
		"cut off in a chunk":    whole[:at(2)+500],
		"cut off by a byte":     whole[:len(whole)-1],
		"nothing but the head":  whole[:head],
		"a byte more":           join(whole, []byte{0}),
		"two chunks swapped":    join(whole[:at(0)], whole[at(1):at(2)], whole[at(0):at(1)], whole[at(2):]),
		"a chunk left out":      join(whole[:at(1)], whole[at(2):]),
		"a chunk twice":         join(whole[:at(1)], whole[at(0):]),
		"the end first":         join(whole[:head], whole[at(3):]),
		"the chunks of another": join(whole[:head], sealed(t, text(100))[head:]),
		"another header":        join(bytes.Replace(whole[:head], []byte(`"lanes":1`), []byte(`"lanes":2`), 1), whole[head:]),
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		flipped := bytes.Clone(whole)
		flipped[head+r.IntN(len(whole)-head)] ^= 1 << r.IntN(8)
		cases[string(rune('a'+len(cases)))] = flipped
	}
	for name, file := range cases {
		if _, err := opened(file, phrase); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFileThatIsNoBackupIsRefusedBeforeItCostsAnything(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "text": "xin chào\n", "no line": string(make([]byte, 5000)),
		"greedy":  `{"format":"loaxa-backup.v1","argon2id":{"memory_kib":4000000000,"passes":1,"lanes":1},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}` + "\n",
		"no salt": `{"format":"loaxa-backup.v1","argon2id":{"memory_kib":8,"passes":1,"lanes":1}}` + "\n",
		"later":   `{"format":"loaxa-backup.v2","argon2id":{"memory_kib":8,"passes":1,"lanes":1},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}` + "\n",
	} {
		if _, err := opened([]byte(file), phrase); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(sealed(f, text(100)))
	f.Add([]byte("loaxa"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if bytes.Contains(file[:min(len(file), maxHeader)], []byte(`"memory_kib":`)) && !bytes.Contains(file[:min(len(file), maxHeader)], []byte(`"memory_kib":8,"passes":1,`)) {
			return // would only be slow
		}
		got, err := opened(file, phrase)
		if err == nil && !bytes.Equal(got, text(100)) {
			t.Errorf("%d bytes were believed that nobody sealed", len(got))
		}
	})
}
