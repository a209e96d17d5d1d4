// Package phone brings telephone numbers as people write them into E.164 form, and has
// the countries for a drop-down. It is the one package that links the numbering plans of
// the world (github.com/nyaruka/phonenumbers, some 6 MB), so only who imports it pays.
//
//	f, err := sms.New(sms.Config{…, Parse: phone.Parse})
//
// or, to serve some countries only,
//
//	f, err := sms.New(sms.Config{…, Parse: phone.Parser{Regions: []string{"US", "CA"}}.Parse})
//
// which tells the countries apart that share a calling code, as "+1" is shared by 25.
//
// Nothing of what is found out about a number is worth keeping but the number: whether it
// is valid and what type it is change over time.
package phone
