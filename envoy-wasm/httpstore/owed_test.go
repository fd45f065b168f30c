package httpstore

import (
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

// ledger is an Owed with a clock that the test moves.
type ledger struct {
	Owed
	t   *testing.T
	now time.Time
}

func (l *ledger) owe(key byte, change func(*Settlement)) {
	l.t.Helper()
	x := Settlement{Op: Release, Key: core.Key{key}, Worth: l.now.Add(time.Minute)}
	if change != nil {
		change(&x)
	}
	if !l.Add(x) {
		l.t.Fatal("no room")
	}
}

// wantNext checks which batch is to be sent now.
func (l *ledger) wantNext(keys ...byte) {
	l.t.Helper()
	batch, _, send := l.Next(l.now)
	if !send || len(batch) != len(keys) {
		l.t.Fatalf("Next = %v, %v, want keys %v", batch, send, keys)
	}
	for i, x := range batch {
		if x.Key[0] != keys[i] {
			l.t.Errorf("batch[%d] = %v, want key %d", i, x, keys[i])
		}
	}
}

func (l *ledger) wantNone() (expired int) {
	l.t.Helper()
	batch, gone, send := l.Next(l.now)
	if send {
		l.t.Fatalf("Next = %v, want nothing to send", batch)
	}
	return len(gone)
}

func (l *ledger) wantWait(want time.Duration, wantAny bool) {
	l.t.Helper()
	if got, any := l.Wait(l.now); got != want || any != wantAny {
		l.t.Errorf("Wait = %v, %v, want %v, %v", got, any, want, wantAny)
	}
}

func newLedger(t *testing.T) *ledger { return &ledger{t: t, now: time.Unix(1e9, 0)} }

func TestOwedInOrder(t *testing.T) {
	l := newLedger(t)
	l.wantNone()
	l.wantWait(0, false)
	l.owe(1, nil)
	l.owe(2, nil)
	l.wantWait(0, true)
	l.wantNext(1, 2)
	l.owe(3, nil)
	l.wantNone() // one batch at a time
	l.wantWait(0, false)
	l.Settled(l.now)
	l.wantNext(3)
	l.Settled(l.now)
	l.wantNone()
	if l.Len() != 0 {
		t.Errorf("Len = %d", l.Len())
	}
}

func TestOwedRepeats(t *testing.T) {
	l := newLedger(t)
	l.owe(1, nil)
	pause := firstPause
	for range 10 {
		l.wantNext(1)
		if told := l.Unsettled(l.now); (len(told) == 1) != (pause == firstPause) {
			t.Errorf("told of %v; a failure is news once", told)
		}
		l.wantNone()
		l.wantWait(pause, true)
		l.now = l.now.Add(pause)
		pause = min(2*pause, lastPause)
	}
	l.owe(2, nil)
	l.wantNext(1, 2)
	l.Settled(l.now)
	l.owe(3, nil)
	l.wantNext(3)
	l.Unsettled(l.now)
	l.wantWait(firstPause, true) // the pause has begun anew
}

func TestOwedExpires(t *testing.T) {
	l := newLedger(t)
	l.owe(1, func(x *Settlement) { x.Worth = l.now.Add(time.Second) })
	l.wantNext(1)
	l.Unsettled(l.now)
	l.now = l.now.Add(time.Second)
	if n := l.wantNone(); n != 1 || l.Len() != 0 {
		t.Errorf("%d expired and %d left, want 1 and 0", n, l.Len())
	}
}

func TestOwedLater(t *testing.T) {
	l := newLedger(t)
	l.owe(1, func(x *Settlement) { x.After, x.Again = l.now.Add(50*time.Millisecond), true })
	l.wantNone()
	l.wantWait(50*time.Millisecond, true)
	l.now = l.now.Add(50 * time.Millisecond)
	l.wantNext(1)
	l.Settled(l.now)
	l.wantNone()
	l.wantWait(againAfter, true)
	l.now = l.now.Add(againAfter)
	l.wantNext(1)
	l.Settled(l.now)
	l.wantWait(0, false)
}

// TestCircuit: it closes when all that is due has been settled, and is tried
// with nothing where nothing is owed.
func TestCircuit(t *testing.T) {
	l := newLedger(t)
	if !l.Trip(l.now) || l.Trip(l.now) || !l.Open() {
		t.Error("Trip says once that it opens")
	}
	l.wantNone()
	l.wantWait(firstPause, true)
	l.now = l.now.Add(firstPause)
	l.wantNext()
	l.Unsettled(l.now)
	l.now = l.now.Add(time.Second)
	for i := range mostAtOnce + 1 {
		l.owe(byte(i), nil)
	}
	if batch, _, send := l.Next(l.now); !send || len(batch) != mostAtOnce {
		t.Fatalf("a batch of %d", len(batch))
	}
	if l.Settled(l.now) || !l.Open() {
		t.Error("it closed with one still due")
	}
	l.wantNext(mostAtOnce)
	if !l.Settled(l.now) || l.Open() {
		t.Error("it stayed open with nothing due")
	}
}

func TestOwedBound(t *testing.T) {
	l := newLedger(t)
	for range mostOwed {
		l.owe(1, nil)
	}
	if l.Add(Settlement{}) {
		t.Error("there is no bound")
	}
}
