package throttle

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/secret"
)

const (
	sealPass  = "password/pass"
	passIDLen = 16
	// perAccount is how many passes of one account are counted at once. Only browsers that
	// completed a sign-in of the account have one.
	perAccount = 16
	// maxPasses is how many passes are counted at once, of all accounts.
	maxPasses = 1 << 14
)

// NewPass returns a pass for an account and when it expires. Give it to the browser that
// completed a sign-in, in a cookie that scripts cannot read. It is URL-safe and shorter than
// 160 bytes. A pass contains no name, cannot be forged, and is useless for another account.
func (t *Throttle) NewPass(account string) (pass secret.Text, expires time.Time) {
	expires = time.Now().Add(t.cfg.PassTTL).UTC().Truncate(time.Second)
	plain := make([]byte, passIDLen, passIDLen+8)
	_, _ = rand.Read(plain)
	plain = binary.BigEndian.AppendUint64(plain, uint64(expires.Unix())) //nolint:gosec // after 1970
	sealed := t.cfg.Keys.Seal(sealPass, account, plain)
	return secret.New(base64.RawURLEncoding.EncodeToString(sealed)), expires
}

// passes counts the attempts with passes. A pass that was never used for an incorrect password
// takes no memory.
type passes struct {
	limit int
	of    map[string][]*passUse // by account
	count int
}

type passUse struct {
	id      [passIDLen]byte
	held    int // attempts under way
	failed  int
	expires int64 // Unix seconds
}

// usePass charges an attempt to its pass. It returns nil if the attempt has no pass that is
// valid and has attempts left.
func (t *Throttle) usePass(a Attempt) *passUse {
	sealed, err := strictb64.DecodeURL(a.Pass.Reveal())
	if err != nil {
		return nil
	}
	plain, err := t.cfg.Keys.Open(sealPass, a.Account, sealed)
	if err != nil || len(plain) != passIDLen+8 || a.Account == "" {
		return nil
	}
	now := time.Now().Unix()
	expires := int64(binary.BigEndian.Uint64(plain[passIDLen:])) //nolint:gosec // we wrote it
	if now >= expires {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.passes.take(a.Account, [passIDLen]byte(plain[:passIDLen]), expires, now)
}

func (t *Throttle) settlePass(account string, u *passUse, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passes.settle(account, u, failed)
}

func (p *passes) take(account string, id [passIDLen]byte, expires, now int64) *passUse {
	for _, u := range p.of[account] {
		if u.id == id {
			if u.held+u.failed >= p.limit {
				return nil
			}
			u.held++
			return u
		}
	}
	if !p.room(account, now) {
		return nil
	}
	u := &passUse{id: id, held: 1, expires: expires}
	p.of[account] = append(p.of[account], u)
	p.count++
	return u
}

func (p *passes) settle(account string, u *passUse, failed bool) {
	u.held--
	if failed {
		u.failed++
	}
	if u.held+u.failed == 0 {
		p.forget(account, u)
	}
}

func (p *passes) forget(account string, u *passUse) {
	list := slices.DeleteFunc(p.of[account], func(o *passUse) bool { return o == u })
	if p.of[account] = list; len(list) == 0 {
		delete(p.of, account)
	}
	p.count--
}

// room makes room for one more pass of an account. An account that has too many gets none until
// one of them expires: an attacker with many stolen passes would use them by turns. Where all
// accounts together have too many, the one with the most gives room.
func (p *passes) room(account string, now int64) bool {
	if len(p.of[account]) >= perAccount {
		return p.forgetOne(account, now, 0)
	}
	if p.count < maxPasses {
		return true
	}
	longest := ""
	for other, list := range p.of {
		if longest == "" || len(list) > len(p.of[longest]) {
			longest = other
		}
	}
	return p.forgetOne(longest, now, p.limit+1)
}

// forgetOne forgets the passes of an account that have expired, or else the one with the
// fewest failed attempts, if these are fewer than a limit.
func (p *passes) forgetOne(account string, now int64, below int) (done bool) {
	var victim *passUse
	for _, u := range slices.Clone(p.of[account]) {
		switch {
		case u.held > 0:
		case now >= u.expires:
			p.forget(account, u)
			done = true
		case u.failed < below && (victim == nil || u.failed < victim.failed):
			victim = u
		}
	}
	if !done && victim != nil {
		p.forget(account, victim)
		done = true
	}
	return done
}
