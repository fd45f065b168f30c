package sha

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"testing"
)

var algorithms = map[string]struct {
	start  Digest
	crypto func() hash.Hash
}{
	"SHA-256": {New256(), sha256.New},
	"SHA-1":   {New1(), sha1.New},
}

// TestLengths goes past two ends of blocks, and over every place at which a
// message can be cut in two, or with -short over some.
func TestLengths(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	message := make([]byte, 2*BlockSize+1)
	for i := range message {
		message[i] = byte(i * 7)
	}
	for n := range message {
		for cut := 0; cut <= n; cut += step {
			compare(t, message[:n], cut, message[:cut])
		}
	}
}

func FuzzSHA(f *testing.F) {
	f.Add([]byte("a message"), 2, []byte("a key"))
	f.Add(bytes.Repeat([]byte{0xff}, 1000), 64, bytes.Repeat([]byte{0xff}, BlockSize+1))
	f.Fuzz(func(t *testing.T, message []byte, cut int, key []byte) {
		compare(t, message, min(max(cut, 0), len(message)), key)
	})
}

// compare holds the sums of a message that comes in two parts against crypto's.
func compare(t *testing.T, message []byte, cut int, key []byte) {
	t.Helper()
	for name, a := range algorithms {
		want := a.crypto()
		want.Write(message)
		d := a.start
		d.Write(message[:cut])
		d.Write(message[cut:])
		if got := d.Sum(nil); !bytes.Equal(got, want.Sum(nil)) {
			t.Fatalf("%s of %x, cut at %d, = %x, want %x", name, message, cut, got, want.Sum(nil))
		}
		want = hmac.New(a.crypto, key)
		want.Write(message)
		m := NewMAC(a.start, key)
		for range 2 { // the first leaves the key as it was
			if got := m.Sum(nil, message[:cut], message[cut:]); !bytes.Equal(got, want.Sum(nil)) {
				t.Fatalf("HMAC of %s of %x, cut at %d, under %x = %x, want %x", name, message, cut, key, got, want.Sum(nil))
			}
			got, digest := m.SumBoth(message[:cut:cut], message)
			if !bytes.Equal(got, want.Sum(message[:cut:cut])) || digest != sha256.Sum256(message) {
				t.Fatalf("SumBoth(%x, %x) of %s under %x = %x, %x, want %x, %x", message[:cut], message, name, key,
					got, digest, want.Sum(message[:cut:cut]), sha256.Sum256(message))
			}
		}
	}
	if got, want := Sum256(message), sha256.Sum256(message); got != want {
		t.Fatalf("Sum256(%x) = %x, want %x", message, got, want)
	}
}

func BenchmarkSHA256(b *testing.B) {
	message := make([]byte, 16*BlockSize)
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		Sum256(message)
	}
}

// BenchmarkSumBoth is what BenchmarkSumApart does in two.
func BenchmarkSumBoth(b *testing.B) {
	m, message := NewMAC(New256(), []byte("a key")), make([]byte, 532)
	var sum [Size256]byte
	for b.Loop() {
		m.SumBoth(sum[:0], message)
	}
}

func BenchmarkSumApart(b *testing.B) {
	m, message := NewMAC(New256(), []byte("a key")), make([]byte, 532)
	var sum [Size256]byte
	for b.Loop() {
		m.Sum(sum[:0], message)
		Sum256(message)
	}
}
