package report

import "github.com/secondgate/secondgate/secret"

// Export is one page of what mfa.Admin.Export returns. Its secrets print as "[redacted]".
type Export struct {
	// Cursor takes the walk up again after this page, in any process. It is opaque, may hold any
	// bytes, and is "" at the end.
	Cursor string
	// Users are those of the page who have something that moves or stays behind.
	Users []ExportedUser
	// Unreadable are the records of the page that none of the keys opens, or that were altered.
	// Each error names the record's key and wraps the reason, such as seal.ErrUnknownKey.
	Unreadable []error
}

// ExportedUser is one user of an Export.
type ExportedUser struct {
	ID, Tenant string
	// UserType is the one that the user had when their record was last written.
	UserType string
	Factors  []ExportedFactor
	// NotMoved says in words which factors stay behind, and why.
	NotMoved []string
}

// ExportedFactor is one factor of an ExportedUser: the request that imports it.
type ExportedFactor struct {
	Kind, Name string
	Params     map[string]secret.Text
}
