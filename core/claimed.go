package core

// Keys are the claims to be made before the delivery is forwarded, valid until
// Claimed.
func (c *Check) Keys() []Key {
	if c.scratch == nil {
		return nil
	}
	return c.keys
}

// Claimed says what to forward now that the store has answered for each of
// Keys, or failed to: then states is nil.
func (c *Check) Claimed(states []State) *Verdict {
	s := c.scratch
	if s == nil || len(s.keys) == 0 { // the host is out of step: nothing was to be claimed
		return c.reject(HostMisconfigured)
	}
	hold, free := c.room.hold[:0], []Key(nil)
	var pending, unknown, fresh bool
	next := 0
	for i, f := range s.fates {
		if f != claimable && f != answerable {
			fresh = fresh || f == forwarded
			continue
		}
		state := Unknown
		if next < len(states) {
			state = states[next]
		}
		switch {
		case state == Claimed && f == answerable:
			free, fresh = append(free, s.keys[next]), true
		case state == Claimed:
			hold, fresh = append(hold, s.keys[next]), true
		case state == Done:
			s.fates[i] = leftOut
		case state == Pending && f == answerable:
			fresh = true // a call may ask the same twice: each is to be answered
		case state == Pending:
			pending = true
		default:
			unknown, fresh = unknown || f == claimable, true
		}
		next++
	}
	switch {
	case pending:
		return c.refuse(DuplicateInFlight, append(hold, free...))
	case unknown && !c.gate.replay.Accept:
		return c.refuse(ReplayStoreUnavailable, append(hold, free...))
	case !fresh:
		return c.duplicate()
	}
	v := c.forward(hold)
	v.Free = free
	if unknown {
		v.Unchecked = true
		v.Set = append(v.Set, Field{headerReplay, "unchecked"})
	}
	return v
}

// refuse rejects and frees what had been claimed.
func (c *Check) refuse(code Code, claimed []Key) *Verdict {
	v := c.reject(code)
	v.Free = claimed
	return v
}
