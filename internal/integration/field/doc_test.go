// Package field_test has cases from the field: what users of systems like this one typed, pasted,
// scanned and ran, and what went wrong for them. Each file is one area.
package field_test
