package totp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/totp"
)

// TestCode_RFC4226AppendixD is appendix D: the codes of the counters 0 to 9.
func TestCode_RFC4226AppendixD(t *testing.T) {
	f := newFactor(t, strict)
	for counter, code := range []string{"755224", "287082", "359152", "969429", "338314", "254676",
		"287922", "162583", "399871", "520489"} {
		require.Equal(t, code, totp.Code(fresh(), int64(counter)))
		next, err := at(f, fresh(), int64(counter)*30, code)
		require.NoError(t, err)
		require.EqualValues(t, counter, totp.Last(next))
	}
}

// TestCode_RFC6238AppendixB is appendix B, with a last column of six digits that was computed
// elsewhere.
func TestCode_RFC6238AppendixB(t *testing.T) {
	f := newFactor(t, strict)
	for _, row := range []struct {
		unix                      int64
		sha1, sha256, sha512, six string
	}{
		{59, "94287082", "46119246", "90693936", "287082"},
		{1111111109, "07081804", "68084774", "25091201", "081804"},
		{1111111111, "14050471", "67062674", "99943326", "050471"},
		{1234567890, "89005924", "91819424", "93441116", "005924"},
		{2000000000, "69279037", "90698825", "38618901", "279037"},
		{20000000000, "65353130", "77737706", "47863826", "353130"},
	} {
		for a, code := range map[totp.Algorithm]string{totp.SHA1: row.sha1, totp.SHA256: row.sha256,
			totp.SHA512: row.sha512} {
			next, err := at(f, totp.State(seeds[a], a, 8, 30*time.Second, -1), row.unix, code)
			require.NoError(t, err, "%s at %d", a, row.unix)
			require.Equal(t, row.unix/30, totp.Last(next))
		}
		_, err := at(f, fresh(), row.unix, row.six)
		require.NoError(t, err)
	}
	// The RFC's table names one seed of 20 bytes for all three hashes, which is an erratum:
	// these are the codes of one who believed it.
	for a, code := range map[totp.Algorithm]string{totp.SHA256: "32247374",
		totp.SHA512: "69342147"} {
		require.Equal(t, code, totp.Code(totp.State(seeds[totp.SHA1], a, 8, 30*time.Second, -1), 1))
		_, err := at(f, totp.State(seeds[a], a, 8, 30*time.Second, -1), 59, code)
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
}

// The RFC's rows 2 and 3 are steps next to each other.
func TestCode_RFC6238AdjacentSteps(t *testing.T) {
	state := totp.State(seeds[totp.SHA1], totp.SHA1, 8, 30*time.Second, -1)
	f := newFactor(t)
	_, err := at(f, state, 1111111111, "07081804")
	require.NoError(t, err, "the step before is accepted")
	_, err = at(newFactor(t, strict), state, 1111111111, "07081804")
	require.ErrorIs(t, err, factor.ErrIncorrect)
	next, err := at(f, state, 1111111111, "14050471")
	require.NoError(t, err)
	_, err = at(f, next, 1111111111, "14050471")
	require.ErrorIs(t, err, factor.ErrReplayed)
	_, err = at(f, next, 1111111111, "07081804")
	require.ErrorIs(t, err, factor.ErrReplayed, "nor is an earlier step, after a later one")
}

// RFC 6238 section 3 R4: the counter goes beyond 32 bits, which are over in the year 4011.
// Run with GOARCH=386, too, this finds a step that went through an int.
func TestCode_StepsBeyond32Bits(t *testing.T) {
	f := newFactor(t)
	for _, step := range []int64{1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<33 + 7} {
		code := totp.Code(fresh(), step)
		next, err := at(f, fresh(), step*30, code)
		require.NoError(t, err)
		require.Equal(t, step, totp.Last(next))
		_, err = at(f, next, step*30, code)
		require.ErrorIs(t, err, factor.ErrReplayed)
		if low := int64(uint32(step)); low != step {
			require.NotEqual(t, code, totp.Code(fresh(), low),
				"the high half is part of the counter")
		}
	}
}
