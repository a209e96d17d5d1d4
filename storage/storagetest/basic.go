package storagetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

func absent(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("absent")
	return first(
		func() error { return isAbsent(ctx, "before any write", s, k) },
		func() error {
			return is("swap of an absent record that expects a revision",
				s.Swap(ctx, k, "r0", rec("r1", "x")), storage.ErrConflict)
		},
		func() error { return isAbsent(ctx, "after a refused swap", s, k) },
		func() error {
			return is("delete of an absent record", s.Delete(ctx, k, "r0"), storage.ErrConflict)
		},
		func() error { return isAbsent(ctx, "after a refused delete", s, k) },
	)
}

func create(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("create")
	return first(
		func() error { return is("create", s.Swap(ctx, k, "", rec("r1", "first")), nil) },
		func() error { return holds(ctx, "after create", s, k, rec("r1", "first")) },
		func() error {
			return is("create over a record", s.Swap(ctx, k, "", rec("r2", "second")),
				storage.ErrConflict)
		},
		func() error { return holds(ctx, "after a refused create", s, k, rec("r1", "first")) },
		func() error {
			return is("create over a record with its own revision and data",
				s.Swap(ctx, k, "", rec("r1", "first")), storage.ErrConflict)
		},
	)
}

func replace(ctx context.Context, sub *subject) error {
	s, k, other := sub.open(), key("replace"), key("other")
	return first(
		func() error { return is("create", s.Swap(ctx, k, "", rec("r1", "first")), nil) },
		func() error {
			return is("create of another key", s.Swap(ctx, other, "", rec("r1", "bystander")), nil)
		},
		func() error { return is("swap", s.Swap(ctx, k, "r1", rec("r2", "second")), nil) },
		func() error { return holds(ctx, "after a swap", s, k, rec("r2", "second")) },
		func() error {
			return holds(ctx, "another key after the swap", s, other, rec("r1", "bystander"))
		},
		func() error {
			return is("swap with a past revision", s.Swap(ctx, k, "r1", rec("r3", "third")),
				storage.ErrConflict)
		},
		func() error { return holds(ctx, "after a refused swap", s, k, rec("r2", "second")) },
		func() error {
			return is("swap with the next revision as the old one",
				s.Swap(ctx, k, "r3", rec("r4", "x")), storage.ErrConflict)
		},
		// Equal data is a change all the same, which a count of changed rows must not hide.
		func() error {
			return is("swap to equal data", s.Swap(ctx, k, "r2", rec("r3", "second")), nil)
		},
		func() error { return holds(ctx, "after a swap to equal data", s, k, rec("r3", "second")) },
		func() error {
			return is("swap to shorter data", s.Swap(ctx, k, "r3", rec("r4", "s")), nil)
		},
		func() error { return holds(ctx, "after a swap to shorter data", s, k, rec("r4", "s")) },
	)
}

func revisionExact(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("revision")
	present := rec("Rev-1", "x")
	if err := is("create", s.Swap(ctx, k, "", present), nil); err != nil {
		return err
	}
	for _, near := range []storage.Revision{"rev-1", "REV-1", "Rev-1 ", " Rev-1", "Rev-1\x00",
		"Rev-", "ev-1", "Rev_1", "Rev%", "R*",
		"Rév-1", "Rev-01", "Rev-1\n", "\x00", " ", "1", "0"} {
		what := fmt.Sprintf("revision %q where %q is present", near, present.Revision)
		err := first(
			func() error {
				return is("swap with "+what, s.Swap(ctx, k, near, rec("r2", "y")),
					storage.ErrConflict)
			},
			func() error {
				return is("delete with "+what, s.Delete(ctx, k, near), storage.ErrConflict)
			},
			func() error { return holds(ctx, "after "+what, s, k, present) },
		)
		if err != nil {
			return err
		}
	}
	// All bytes in turn, as many as fit: what is kept and compared is bytes, not text.
	old := present.Revision
	for b := 0; b < 256; b += storage.MaxRevisionLen / 2 {
		next := storage.Record{Revision: storage.Revision(run(b, storage.MaxRevisionLen)),
			Data: []byte("x")}
		err := first(
			func() error {
				return is("swap to a revision of bytes", s.Swap(ctx, k, old, next), nil)
			},
			func() error { return holds(ctx, "after a swap to a revision of bytes", s, k, next) },
			func() error { return nearLong(ctx, s, k, next) },
		)
		if err != nil {
			return err
		}
		old = next.Revision
	}
	return nil
}

// nearLong tries revisions that differ from a long one in one byte, wherever it is.
func nearLong(ctx context.Context, s storage.Store, k string, present storage.Record) error {
	for _, at := range []int{0, 7, 8, 31, 32, len(present.Revision) - 1} {
		near := []byte(present.Revision)
		near[at] ^= 0x80
		what := fmt.Sprintf("a revision that differs in byte %d", at)
		err := first(
			func() error {
				return is("swap with "+what, s.Swap(ctx, k, storage.Revision(near), rec("r2", "y")),
					storage.ErrConflict)
			},
			func() error {
				return is("delete with "+what, s.Delete(ctx, k, storage.Revision(near)),
					storage.ErrConflict)
			},
			func() error { return holds(ctx, "after "+what, s, k, present) },
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// run returns n bytes that count up from b.
func run(b, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(b + i)
	}
	return out
}

func deletion(ctx context.Context, sub *subject) error {
	s, k, other := sub.open(), key("delete"), key("other")
	return first(
		func() error { return is("create", s.Swap(ctx, k, "", rec("r1", "first")), nil) },
		func() error {
			return is("create of another key", s.Swap(ctx, other, "", rec("r1", "bystander")), nil)
		},
		func() error { return is("swap", s.Swap(ctx, k, "r1", rec("r2", "second")), nil) },
		func() error {
			return is("delete with a past revision", s.Delete(ctx, k, "r1"), storage.ErrConflict)
		},
		func() error { return holds(ctx, "after a refused delete", s, k, rec("r2", "second")) },
		func() error { return is("delete", s.Delete(ctx, k, "r2"), nil) },
		func() error { return isAbsent(ctx, "after a delete", s, k) },
		func() error { return is("a second delete", s.Delete(ctx, k, "r2"), storage.ErrConflict) },
		func() error {
			return holds(ctx, "another key after the delete", s, other, rec("r1", "bystander"))
		},
	)
}

func recreate(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("recreate")
	return first(
		func() error { return is("create", s.Swap(ctx, k, "", rec("r1", "first")), nil) },
		func() error { return is("delete", s.Delete(ctx, k, "r1"), nil) },
		func() error {
			return is("swap with the revision of a deleted record",
				s.Swap(ctx, k, "r1", rec("r2", "x")), storage.ErrConflict)
		},
		func() error { return isAbsent(ctx, "after that", s, k) },
		func() error {
			return is("create after a delete", s.Swap(ctx, k, "", rec("r3", "again")), nil)
		},
		func() error { return holds(ctx, "after it", s, k, rec("r3", "again")) },
		func() error {
			return is("swap with the revision from before the delete",
				s.Swap(ctx, k, "r1", rec("r4", "x")), storage.ErrConflict)
		},
		func() error {
			return is("delete with the revision from before the delete", s.Delete(ctx, k, "r1"),
				storage.ErrConflict)
		},
		func() error { return holds(ctx, "after both", s, k, rec("r3", "again")) },
		func() error {
			return is("swap of the new record", s.Swap(ctx, k, "r3", rec("r5", "x")), nil)
		},
	)
}

func aba(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("aba")
	return first(
		func() error { return is("create", s.Swap(ctx, k, "", rec("r1", "A")), nil) },
		func() error { return is("swap", s.Swap(ctx, k, "r1", rec("r2", "B")), nil) },
		func() error {
			return is("swap back to the first data", s.Swap(ctx, k, "r2", rec("r3", "A")), nil)
		},
		func() error {
			return is("swap with a past revision whose data is the present data",
				s.Swap(ctx, k, "r1", rec("r4", "C")), storage.ErrConflict)
		},
		func() error {
			return is("delete with a past revision whose data is the present data",
				s.Delete(ctx, k, "r1"), storage.ErrConflict)
		},
		func() error { return holds(ctx, "after both", s, k, rec("r3", "A")) },
	)
}

// alike are endings of keys that some database, collation, pattern or file system takes for
// one another.
var alike = []string{
	"a", "A", "a ", " a", "a  ", "a\t", "a\n", "a\r\n", "a\x00", "a\x00\x00", "\x00a", "a\x00b",
	"a\x00c",
	"ß", "ss", "SS", "ẞ", "i", "I", "ı", "İ", "o", "ø", "ö",
	// one letter in two Unicode forms, without its accent, with a zero-width space
	"\u00e9", "e\u0301", "e", "é\u200b",
	"K", "\u212a", "k", "ﬁ", "fi", // the Kelvin sign, a ligature
	// not UTF-8, and what a decoder makes of it
	"\xff", "\xff\xff", "\xfe", "\xc3", "\xc3\x28", "\ufffd", "\xed\xa0\x80",
	"1", "01", "1.0", "1e0", "0x1", "+1", "true", "null", "NULL", // what type affinity may convert
	// patterns, quotes, placeholders
	"%", "_", "*", "?", "[a]", "\\", "\\\\", "'", "''", "\"", "`", ";", "--", "$1", ":a", "@a",
	"/", "//", ".", "..", "../a", "a/", "a/b", "a:b", "a|b", "#", "a#", "a%20", "a+",
}

func keys(ctx context.Context, sub *subject) error {
	s, prefix := sub.open(), key("")
	all := make([]string, 0, len(alike)+2)
	for _, ending := range alike {
		all = append(all, prefix+ending)
	}
	// The last byte of the longest keys.
	long := prefix + strings.Repeat("k", storage.MaxKeyLen-len(prefix)-1)
	all = append(all, long+"1", long+"2", long)
	for i, k := range all {
		what := fmt.Sprintf("with %d keys that resemble it present", i)
		err := first(
			func() error { return isAbsent(ctx, what, s, k) },
			func() error {
				return is(what+": create of "+show([]byte(k)), s.Swap(ctx, k, "", numbered(i, "a")),
					nil)
			},
		)
		if err != nil {
			return err
		}
	}
	for i, k := range all {
		err := first(
			func() error { return holds(ctx, "with all keys present", s, k, numbered(i, "a")) },
			func() error {
				return is("swap of "+show([]byte(k)), s.Swap(ctx, k, numbered(i, "a").Revision,
					numbered(i, "b")), nil)
			},
		)
		if err != nil {
			return err
		}
	}
	for i, k := range all {
		err := first(
			func() error { return holds(ctx, "after each was swapped", s, k, numbered(i, "b")) },
			func() error {
				return is("delete of "+show([]byte(k)), s.Delete(ctx, k, numbered(i, "b").Revision),
					nil)
			},
			func() error { return isAbsent(ctx, "after its delete", s, k) },
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func numbered(i int, suffix string) storage.Record {
	return rec(storage.Revision(fmt.Sprintf("r%d%s", i, suffix)),
		fmt.Sprintf("record %d%s", i, suffix))
}

func dataBytes(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("data")
	cases := [][]byte{
		run(0, 256), run(128, 256), {0}, {0, 0, 0}, []byte("\x00x"), []byte("x\x00"), []byte(" x "),
		[]byte("x\r\n"),
		{0xff}, {0xc3, 0x28}, []byte("e\u0301"), []byte("{}"), []byte("null"), []byte("1"),
		[]byte("0001"), []byte("1e5"),
		[]byte("\\x00"), []byte("\\"), []byte("'\"`"), []byte("?"), []byte("$1"), []byte("%s"),
	}
	for b := range 256 {
		cases = append(cases, []byte{byte(b)})
	}
	old := storage.Revision("")
	for i, data := range cases {
		next := storage.Record{Revision: storage.Revision(fmt.Sprintf("r%d", i)), Data: data}
		err := first(
			func() error { return is("swap to data "+show(data), s.Swap(ctx, k, old, next), nil) },
			func() error { return holds(ctx, "after a swap to data", s, k, next) },
		)
		if err != nil {
			return err
		}
		old = next.Revision
	}
	return nil
}
