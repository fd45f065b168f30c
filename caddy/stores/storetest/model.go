package storetest

import (
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

// model is a store too simple to be wrong: a map, searched from end to end.
type model struct {
	limit   int // 0 is none
	now     time.Duration
	commits int
	claims  map[core.Key]held
}

// held is a claim; a key without one is free.
type held struct {
	done   bool
	token  core.Token
	end    time.Duration
	commit int // the number of the commit that made it done
}

func newModel(limit int) *model { return &model{limit: limit, claims: map[core.Key]held{}} }

func (m *model) advance(d time.Duration) {
	m.now += d
	for key, h := range m.claims {
		if h.end <= m.now {
			delete(m.claims, key)
		}
	}
}

func (m *model) claim(token core.Token, keys []core.Key, lease time.Duration) ([]core.State, error) {
	states := make([]core.State, len(keys))
	for i, key := range keys {
		switch h, ok := m.claims[key]; {
		case ok && h.done:
			states[i] = core.Done
		case ok && h.token != token:
			states[i] = core.Pending
		case !ok && !m.makeRoom():
			m.release(token, keys)
			return make([]core.State, len(keys)), stores.ErrFull
		default:
			m.claims[key] = held{token: token, end: m.now + lease}
			states[i] = core.Claimed
		}
	}
	return states, nil
}

func (m *model) commit(token core.Token, keys []core.Key, window time.Duration) (err error) {
	for _, key := range keys {
		h, ok := m.claims[key]
		if ok && (h.done || h.token != token) {
			continue
		}
		if !ok && !m.makeRoom() {
			err = stores.ErrFull
			continue
		}
		m.commits++
		m.claims[key] = held{done: true, end: m.now + window, commit: m.commits}
	}
	return err
}

func (m *model) release(token core.Token, keys []core.Key) {
	for _, key := range keys {
		if m.owns(token, key) {
			delete(m.claims, key)
		}
	}
}

func (m *model) renew(token core.Token, keys []core.Key, lease time.Duration) {
	for _, key := range keys {
		if m.owns(token, key) {
			m.claims[key] = held{token: token, end: m.now + lease}
		}
	}
}

func (m *model) owns(token core.Token, key core.Key) bool {
	h, ok := m.claims[key]
	return ok && !h.done && h.token == token
}

// makeRoom gives up the oldest done claim if the model is full.
func (m *model) makeRoom() bool {
	if m.limit == 0 || len(m.claims) < m.limit {
		return true
	}
	var oldest core.Key
	found := false
	for key, h := range m.claims {
		if h.done && (!found || h.commit < m.claims[oldest].commit) {
			oldest, found = key, true
		}
	}
	delete(m.claims, oldest)
	return found
}
