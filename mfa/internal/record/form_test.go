package record

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// The items are those of RFC 8949 appendix A and others of section 3: each integer in its shortest
// form and in a longer one.
func TestInstance_DecodesEachForm(t *testing.T) {
	for data, want := range map[string]Instance{
		"a0":                               {},
		"a105" + "00":                      {},
		"a105" + "17":                      {Created: 23},
		"a105" + "1818":                    {Created: 24},
		"a105" + "1817":                    {Created: 23},
		"a105" + "1903e8":                  {Created: 1000},
		"a105" + "1a000f4240":              {Created: 1_000_000},
		"a105" + "1b000000e8d4a51000":      {Created: 1_000_000_000_000},
		"a105" + "20":                      {Created: -1},
		"a105" + "3903e7":                  {Created: -1000},
		"a107" + "f5":                      {Implicit: true},
		"a107" + "f4":                      {},
		"a104" + "4401020304":              {State: []byte{1, 2, 3, 4}},
		"a3006161" + "016162" + "026163":   {ID: "a", Kind: "b", Name: "c"},
		"a2" + "0363e280a2" + "061903e8":   {MaskedDestination: "•", Used: 1000},
		"b8020061" + "61" + "016162":       {ID: "a", Kind: "b"},
		"a1" + "00" + "780161":             {ID: "a"},
		"a1" + "1805" + "01":               {Created: 1},
		"a1" + "00" + "60":                 {},
		"a1" + "05" + "1b7fffffffffffffff": {Created: 1<<63 - 1},
	} {
		in := Instance{ID: "another", Created: 5, State: []byte{9}}
		require.NoError(t, in.UnmarshalCBOR(unhex(t, data)), data)
		require.Equal(t, want, in, data)
		var list Instances
		require.NoError(t, list.UnmarshalCBOR(unhex(t, "81"+data)), data)
		require.Equal(t, Instances{want}, list, data)
	}
}

// A record that is cut short, or has an item of another form, is refused and never read in part.
func TestInstance_RefusesOtherForms(t *testing.T) {
	for _, data := range []string{"", "a1", "a105", "a10519", "a1051903", "a1006261", "a10441",
		"a000", "a10501" + "00", // more after the end
		"80", "60", "f6", // no map
		"a10061ff61", "a10001", "a10060" + "60", "a10561" + "61", "a10401", "a10700", // other types
		"a1051c", "a1051f", "bf", "9f", // reserved, and of indefinite length
		"a10801", "a1181801", "a1" + "20" + "01", "a2080501", // keys of another version
		"a1" + "00" + "7b8000000000000000", "a1" + "00" + "7bffffffffffffffff",
		"bb" + "ffffffffffffffff",
	} {
		var in Instance
		require.Error(t, in.UnmarshalCBOR(unhex(t, data)), data)
		var list Instances
		require.Error(t, list.UnmarshalCBOR(unhex(t, "81"+data)), data)
	}
	for _, data := range []string{"", "82a0", "80a0", "9b7fffffffffffffff", "9affffffff", "a0"} {
		var list Instances
		require.Error(t, list.UnmarshalCBOR(unhex(t, data)), data)
	}
	var b Bytes
	require.NoError(t, b.UnmarshalCBOR(unhex(t, "4101")))
	require.Equal(t, Bytes{1}, b)
	for _, data := range []string{"", "41", "410101", "6101"} {
		require.Error(t, b.UnmarshalCBOR(unhex(t, data)), data)
	}
}

// What is read from a record is a part of it, and cannot grow into what follows.
func TestBytes_EndWhereTheyEnd(t *testing.T) {
	data := unhex(t, "82a1044101a1044102")
	var list Instances
	require.NoError(t, list.UnmarshalCBOR(data))
	_ = append(list[0].State, 0xff)
	require.Equal(t, unhex(t, "82a1044101a1044102"), data)
}

// Lists whose items have a fixed length are whole.
func TestDecode_RefusesListsThatAreCut(t *testing.T) {
	for name, cut := range map[string]func(*Record){
		"used challenges": func(r *Record) { r.Used = r.Used[:len(r.Used)-1] },
		"sends":           func(r *Record) { r.Sends = r.Sends[:1] },
	} {
		r := fullRecord()
		cut(r)
		data, err := r.Encode()
		require.NoError(t, err)
		got, err := Decode(data)
		require.ErrorIs(t, err, ErrUnreadable, name)
		require.Nil(t, got, name)
	}
}

// A newer version may write any key that this one does not have. What this one has is read anew,
// and a record is refused that is malformed besides.
func TestDecode_ReadsNewerRecords(t *testing.T) {
	type newer struct {
		Record
		Next   string `cbor:"1000,keyasint,omitempty"`
		Before string `cbor:"-1,keyasint,omitempty"`
	}
	n := newer{Record: *fullRecord(), Next: "next", Before: "before"}
	data, err := cborEnc.Marshal(n)
	require.NoError(t, err)
	r, err := Decode(data)
	require.NoError(t, err)
	require.Len(t, r.unknown, 2)
	r.Born = 7
	data, err = r.Encode()
	require.NoError(t, err)
	var got newer
	require.NoError(t, cborStrict.Unmarshal(data, &got))
	require.Equal(t, []string{"next", "before"}, []string{got.Next, got.Before})
	require.Equal(t, int64(7), got.Born)
	require.Equal(t, n.Factors, got.Factors)

	for _, data := range []string{
		"a3" + "0001" + "181f00" + "0200" + "00", // more after the end
		"a3" + "181f00" + "0001" + "0261" + "61", // a text in place of a time, after the new key
		"a2" + "0001" + "61" + "6101",            // a text in place of a key
		"a3" + "0001" + "0001" + "181f00",        // a key twice
	} {
		r, err := Decode(unhex(t, data))
		require.ErrorIs(t, err, ErrUnreadable, data)
		require.Nil(t, r, data)
	}
}

// A list of used challenges that cannot be read is not an empty one.
func TestDecode_RefusesUsedChallengesOfAnotherForm(t *testing.T) {
	_, err := Decode(unhex(t, "a2"+"0001"+"0740"))
	require.NoError(t, err)
	_, err = Decode(unhex(t, "a2"+"0001"+"0760"))
	require.ErrorIs(t, err, ErrUnreadable)
}

// The format is that of the version that writes.
func TestEncode_WritesItsFormat(t *testing.T) {
	data, err := (&Record{}).Encode()
	require.NoError(t, err)
	r, err := Decode(data)
	require.NoError(t, err)
	require.Equal(t, format, r.Format)
}

// Sends are counted by the minute. A minute counts in full until an hour has passed since its end.
func TestSendLog_CountsByTheMinute(t *testing.T) {
	minute := recordTime.Unix() / 60
	at := func(d time.Duration) time.Time { return recordTime.Add(d) }
	l, wait := SendLog(nil).Add(at(0), 3)
	require.Zero(t, wait)
	require.Equal(t, SendLog{minute, 1}, l)
	l, wait = l.Add(at(59*time.Second), 3)
	require.Zero(t, wait)
	require.Equal(t, SendLog{minute, 2}, l)
	l, wait = l.Add(at(time.Minute), 3)
	require.Zero(t, wait)
	require.Equal(t, SendLog{minute, 2, minute + 1, 1}, l)
	back, wait := l.Add(at(-time.Hour), 4)
	require.Zero(t, wait)
	require.Equal(t, SendLog{minute, 2, minute + 1, 2}, back, "no minute comes before another")

	// The wait ends when enough sends do not count any more.
	same, wait := l.Add(at(time.Minute), 3)
	require.Equal(t, l, same, "nothing is counted")
	require.Equal(t, time.Hour, wait)
	_, wait = l.Add(at(time.Minute), 1)
	require.Equal(t, time.Hour+time.Minute, wait)
	same, wait = l.Add(at(time.Minute), 0)
	require.Equal(t, l, same)
	require.Equal(t, time.Hour, wait, "no time is known")

	require.Equal(t, l, l.Since(at(61*time.Minute-time.Second)))
	require.Equal(t, SendLog{minute + 1, 1}, l.Since(at(61*time.Minute)))
	require.Empty(t, l.Since(at(62*time.Minute)))
}

// A send that did not take place is taken back, and the log that others have stays.
func TestSendLog_TakesASendBack(t *testing.T) {
	l := SendLog{5, 2, 6, 1, 7, 3}
	require.Equal(t, SendLog{5, 1, 6, 1, 7, 3}, l.Remove(5))
	require.Equal(t, SendLog{5, 2, 7, 3}, l.Remove(6))
	require.Equal(t, SendLog{5, 2, 6, 1, 7, 2}, l.Remove(7))
	require.Equal(t, l, l.Remove(8), "it counts no longer")
	require.Equal(t, SendLog{5, 2, 6, 1, 7, 3}, l)
}
