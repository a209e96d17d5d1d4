// Package policy decides what an application demands of its users: whether a second factor is
// required, with which kinds, and to which standard the configuration is held.
//
// A [Policy] is what one user type of one tenant must do. A [Source] gives it: [Static] and
// [ByUserType] return policies that are fixed in the program, and [Stored] lets an
// administrator change them at run time. An application may bring a Source of its own. It
// passes the Source to mfa.New in mfa.Config.Policies.
//
// A [Profile] names a standard, such as level 2 of NIST SP 800-63B-4. With
// mfa.Config.Profile, the Manager refuses a configuration and a policy that break it. A
// [Finding] is one requirement that a configuration breaks, or one piece of advice;
// mfa.Manager.Audit returns them.
//
// Everything in this package is a pure function of its arguments: it reads no clock and no
// store. A [Setup] describes a configuration by its values, and its methods are what the
// Manager calls. Most applications do not need it; a program that checks configurations
// without running them does.
//
// The JSON form of a Policy is what a Manager stores. Its field names and the values of Mode
// do not change.
package policy
