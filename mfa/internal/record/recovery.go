package record

// CodesDue is what is left to do of setting up recovery codes. It is zero also for codes that an
// earlier version made, which nobody was asked about.
type CodesDue uint8

const (
	// CodesToMake means that the user has set up a factor to lose, and was shown no codes yet.
	CodesToMake CodesDue = iota + 1
	// CodesToSave means that the user was shown the codes, and has not said that they are saved.
	CodesToSave
)

// Recovery is a recovery link, or the recovery that one began.
type Recovery struct {
	ID      [16]byte `cbor:"0,keyasint"`
	Expires int64    `cbor:"1,keyasint"`
}
