package record

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/seal"
)

var recordTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func randomBytes(n int) []byte { return []byte(strings.Repeat("\x99", n)) }

// fullRecord has five factors and ten recovery codes, as the budget says, and something of
// everything else.
func fullRecord() *Record {
	r := New()
	r.Born = recordTime.UnixMilli()
	for range 3 {
		r.Factors = append(r.Factors, Instance{ID: NewID(), Kind: "totp", Name: "Authenticator app",
			State:   randomBytes(40),
			Created: recordTime.UnixMilli(), Used: recordTime.UnixMilli()})
	}
	r.Factors = append(r.Factors,
		Instance{ID: NewID(), Kind: "sms", Name: "Phone", MaskedDestination: "+31 •••••••4567",
			State: []byte("+31612344567"), Created: 1, Used: recordTime.UnixMilli()},
		Instance{ID: NewID(), Kind: "pin", Name: "PIN", State: randomBytes(110),
			Created: recordTime.UnixMilli()},
		Instance{ID: NewID(), Kind: "recovery", State: randomBytes(200),
			Created: recordTime.UnixMilli()})
	r.Codes = map[string]Code{"sms": {Challenge: Random16(), Factor: NewID(), Keep: randomBytes(48),
		Issued: recordTime.UnixMilli(), Expires: recordTime.UnixMilli() + 90000}}
	r.Lockout = lockout.State{Kinds: map[string]lockout.Tally{"totp": {Tries: 2, Streak: 7}}}
	for range 3 {
		r.Use(Random16(), recordTime.UnixMilli())
	}
	r.Sends, _ = r.Sends.Add(recordTime, 30)
	r.Tidy(recordTime, time.Hour)
	return r
}

func TestRecord_FitsItsLimit(t *testing.T) {
	data, err := fullRecord().Encode()
	require.NoError(t, err)
	require.LessOrEqual(t, len(data)+seal.Overhead, 2048, "DESIGN: at most 2 KiB")
}

// The worst record that the bounds allow is within what a store keeps.
func TestRecord_IsBounded(t *testing.T) {
	r := fullRecord()
	for i := 0; len(r.Factors) < MaxFactors; i++ {
		r.Factors = append(r.Factors, Instance{ID: NewID(), Kind: strings.Repeat("k", 32),
			Name: strings.Repeat("n", 64), MaskedDestination: strings.Repeat("h", 300),
			State: randomBytes(1200)})
	}
	for range 10 {
		r.AddPending(Pending{Instance: Instance{ID: NewID(), Kind: NewID(),
			Name: strings.Repeat("n", 64), State: randomBytes(1200)},
			Code: &Code{Keep: randomBytes(1000)}, Expires: recordTime.UnixMilli() + 1e9})
	}
	require.Len(t, r.Pending, maxPending)
	for i := range 200 {
		r.Use(Random16(), recordTime.UnixMilli()+int64(i))
		r.Sends, _ = r.Sends.Add(recordTime.Add(time.Duration(i)*time.Minute), 1000)
	}
	for i := range 20 {
		r.Supersede("mail", Code{Keep: randomBytes(maxSupersededKeep),
			Issued: recordTime.UnixMilli() + int64(i)})
	}
	require.Len(t, r.Superseded, maxSuperseded)
	for i := range 40 { // there are fewer events
		r.CountNotice(fmt.Sprintf("administrator.event-%d", i), recordTime)
	}
	require.Equal(t, maxUsed, r.Used.len())
	require.LessOrEqual(t, len(r.Sends), 2*(sendWindow+1))
	data, err := r.Encode()
	require.NoError(t, err)
	require.Less(t, len(data)+seal.Overhead, 48*1024)
}

func TestRecord_EncodesAndDecodes(t *testing.T) {
	r := fullRecord()
	r.Charge = &Charge{ID: [8]byte{1}, Expires: 2}
	r.AddPending(Pending{Instance: Instance{ID: "x", Kind: "totp", State: []byte{1}},
		Expires: recordTime.UnixMilli() + 1, Code: &Code{Keep: []byte{2}}, Replace: true,
		SignIn: true})
	data, err := r.Encode()
	require.NoError(t, err)
	got, err := Decode(data)
	require.NoError(t, err)
	r.Fresh = false
	require.Equal(t, r, got)
	again, err := got.Encode()
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, again), "the encoding is deterministic")
}

// Decode would keep a key that it took for unknown, and Encode would write it twice.
func TestRecord_EveryKeyIsKnown(t *testing.T) {
	fields := map[int]string{}
	for f := range reflect.TypeFor[Record]().Fields() {
		if tag := f.Tag.Get("cbor"); tag != "" && tag != "-" {
			key, _, _ := strings.Cut(tag, ",")
			n, err := strconv.Atoi(key)
			require.NoError(t, err, f.Name)
			require.Empty(t, fields[n], "%s and %s have the key %d", fields[n], f.Name, n)
			require.Less(t, n, knownKeys)
			fields[n] = f.Name
		}
	}
	require.NotEmpty(t, fields[knownKeys-1])
}

// What a newer version wrote survives a write of this one.
func TestRecord_KeepsUnknownKeys(t *testing.T) {
	data, err := fullRecord().Encode()
	require.NoError(t, err)
	var all map[int]any
	require.NoError(t, cbor.Unmarshal(data, &all))
	all[77] = "from the future"
	all[200] = []int{1, 2}
	data, err = cbor.Marshal(all)
	require.NoError(t, err)
	r, err := Decode(data)
	require.NoError(t, err)
	r.Tidy(recordTime.Add(time.Second), time.Hour)
	data, err = r.Encode()
	require.NoError(t, err)
	clear(all)
	require.NoError(t, cbor.Unmarshal(data, &all))
	require.Equal(t, "from the future", all[77])
	require.Len(t, all[200], 2)
	require.Equal(t, uint64(recordTime.Add(time.Second).UnixMilli()), all[2])
}

func TestDecode_RefusesUnreadableRecords(t *testing.T) {
	r := fullRecord()
	for _, format := range []int{0, -1, format + 1} {
		r.Format = format
		data, err := cborEnc.Marshal(r)
		require.NoError(t, err)
		_, err = Decode(data)
		require.ErrorIs(t, err, ErrUnreadable)
	}
	for _, data := range [][]byte{nil, {0xff}, []byte("garbage"), {0xa0}, {0x80}} {
		_, err := Decode(data)
		require.ErrorIs(t, err, ErrUnreadable)
	}
}

// plainInstances decode by the codec alone.
type plainInstances []struct {
	ID                string `cbor:"0,keyasint"`
	Kind              string `cbor:"1,keyasint"`
	Name              string `cbor:"2,keyasint,omitempty"`
	MaskedDestination string `cbor:"3,keyasint,omitempty"`
	State             []byte `cbor:"4,keyasint,omitempty"`
	Created           int64  `cbor:"5,keyasint,omitempty"`
	Used              int64  `cbor:"6,keyasint,omitempty"`
	Implicit          bool   `cbor:"7,keyasint,omitempty"`
}

// FuzzInstances compares the decoder of instances with the codec's: what both read is the same,
// and what the codec has encoded both read.
func FuzzInstances(f *testing.F) {
	for _, list := range []Instances{nil, {}, {{ID: "x", Kind: "totp"}}, fullRecord().Factors} {
		data, err := cborEnc.Marshal(list)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var plain plainInstances
		if cborStrict.Unmarshal(data, &plain) != nil {
			return
		}
		encoded, err := cborEnc.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		var got Instances
		if err := got.UnmarshalCBOR(encoded); plain != nil && err != nil {
			t.Fatalf("encoded and not decodable: %v", err)
		}
		again, err := cborEnc.Marshal(got)
		if err != nil || plain != nil && !bytes.Equal(again, encoded) {
			t.Fatalf("got %x, %v, want %x", again, err, encoded)
		}
		if got = nil; got.UnmarshalCBOR(data) == nil {
			direct, err := cborEnc.Marshal(got)
			if err != nil || !bytes.Equal(direct, encoded) {
				t.Fatalf("read directly: got %x, %v, want %x", direct, err, encoded)
			}
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	data, err := fullRecord().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			return
		}
		r.Tidy(recordTime, time.Hour)
		if _, err := r.Encode(); err != nil {
			t.Fatalf("decoded but not encodable: %v", err)
		}
	})
}

func TestSendLog_CountsAnHour(t *testing.T) {
	var l SendLog
	now := recordTime.Add(59 * time.Second) // late in its minute
	for range 3 {
		var wait time.Duration
		l, wait = l.Add(now, 3)
		require.Zero(t, wait)
	}
	for _, later := range []time.Duration{0, time.Minute, 59 * time.Minute, time.Hour} {
		_, wait := l.Add(now.Add(later), 3)
		require.Positive(t, wait, "%s later the three are within the hour", later)
		_, none := l.Add(now.Add(later).Add(wait), 3)
		require.Zero(t, none, "and RetryAfter keeps its word")
	}
}

// The audit trail compares the numbers of writes.
func TestRecord_CountsItsWrites(t *testing.T) {
	r := New()
	for range 3 {
		r.Writes = r.NextWrite(recordTime)
	}
	require.Equal(t, recordTime.UnixMilli()+2, r.Writes)
	later := New()
	require.Greater(t, later.NextWrite(recordTime.Add(time.Second)), r.Writes)
}
