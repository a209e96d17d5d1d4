package decide

import (
	"fmt"

	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides whether factors of another system may be imported, and what that changes.

// Importing is one instance of an import.
type Importing struct {
	Instance record.Instance
	// Renew says that it is weaker than what the user can enrol.
	Renew bool
}

// Skip is why an import changes nothing for a user.
type Skip string

// The reasons. Imported comes first, since an import that is repeated must not bring back what was
// removed since.
const (
	SkipImported Skip = "imported"
	SkipEnrolled Skip = "enrolled"
	SkipDeleted  Skip = "deleted"
)

// SkipImport returns why an import changes nothing for the user, or "".
func (v View) SkipImport() Skip {
	r := v.Record
	switch {
	case r.Imported != 0:
		return SkipImported
	case r.Tombstone != nil:
		return SkipDeleted
	}
	for i := range r.Factors {
		if !r.Factors[i].Implicit {
			return SkipEnrolled
		}
	}
	return ""
}

// Import puts instances into the record of a user who has none. What was issued before is void: a
// grant for a user without factors could enrol one more. An error leaves the record to be dropped.
func (v View) Import(list []Importing) error {
	r := v.Record
	r.Void()
	same := make(map[string]int)
	for _, i := range list {
		same[i.Instance.Kind]++
		most := record.MaxInstances
		if v.Kinds[i.Instance.Kind].OnePerUser {
			most = 1
		}
		if same[i.Instance.Kind] > most || len(r.Factors) >= record.MaxFactors {
			return fmt.Errorf("%w: a user has at most %d of the kind %s", ErrNotAvailable, most,
				i.Instance.Kind)
		}
		r.Factors = append(r.Factors, i.Instance)
		if i.Renew {
			r.Renew = append(r.Renew, i.Instance.ID)
		}
	}
	if !v.HasOwn(r) {
		return fmt.Errorf("%w: with recovery codes alone, a password would enrol a factor",
			ErrNotAvailable)
	}
	r.Imported = v.Now.UnixMilli()
	for i := range r.Factors {
		v.noteCodes(&r.Factors[i], false, false)
	}
	return nil
}
