// Package phone brings telephone numbers into E.164 form from any form that users write, and has
// the countries for a drop-down. It is the one package that links the numbering plans of the world
// (github.com/nyaruka/phonenumbers, some 6 MB), so that only its importers carry them.
//
//	f, err := sms.New(sms.Config{…, Parse: phone.Parse})
//
// or, to serve some countries only,
//
//	f, err := sms.New(sms.Config{…, Parse: phone.Parser{Regions: []string{"US", "CA"}}.Parse})
//
// which distinguishes countries that share a calling code, as 25 share "+1".
//
// Keep the number and nothing else that this package finds out about it: its validity and its type
// change over time.
package phone
